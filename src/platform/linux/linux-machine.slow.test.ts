import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LinuxMachine } from './linux-machine.ts';

const skip =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'file systems are mounted by root of Linux'
    : false;

test('a file system that is written to no more is told, one that nobody can tell of is not', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherstore-records-'));
  t.after(() => rmdirSync(folder));
  const readOnly = async (recordsFolder?: string) =>
    (await new LinuxMachine({ recordsFolder }).read()).recordsReadOnly;
  assert.equal(await readOnly(), null);
  assert.equal(await readOnly(join(folder, 'missing')), null);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'records', folder]);
  try {
    assert.equal(await readOnly(folder), false);
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    assert.equal(await readOnly(folder), true);
  } finally {
    execFileSync('umount', [folder]);
  }
});

test('an ext4 that has given up after an error is told, whether its kernel flags it or not', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherstore-ext4-'));
  const file = `${folder}.img`;
  t.after(() => {
    rmdirSync(folder);
    rmSync(file);
  });
  execFileSync('truncate', ['-s', '16M', file]);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', file]);
  execFileSync('mount', ['-o', 'loop,errors=remount-ro', file, folder]);
  try {
    const { recordsReadOnly } = await new LinuxMachine({ recordsFolder: folder }).read();
    assert.equal(recordsReadOnly, false);
    const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', folder], { encoding: 'utf8' }).trim();
    const trigger = `/sys/fs/ext4/${device.replace('/dev/', '')}/trigger_fs_error`;
    if (!existsSync(trigger)) return t.skip('this kernel makes no errors on demand');
    writeFileSync(trigger, 'tested');
    assert.equal((await new LinuxMachine({ recordsFolder: folder }).read()).recordsReadOnly, true);
  } finally {
    execFileSync('umount', [folder]);
  }
});
