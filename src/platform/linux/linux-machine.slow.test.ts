import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
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
