import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deviceNumber } from './block-devices.ts';
import { isDeadMount, ownDiskTools } from './disk-tools.ts';

const canMount = process.getuid?.() === 0 && spawnSync('losetup', ['--find']).status === 0;
const skip = canMount ? false : 'needs root and loop devices';

test('a file system whose device is gone is a dead mount, which is taken off though something is open there', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-dead-'));
  const [image, place, sysfs] = [join(folder, 'image'), join(folder, 'disk'), join(folder, 'sys')];
  t.after(() => {
    spawnSync('umount', ['--lazy', place]);
    rmSync(folder, { recursive: true });
  });
  mkdirSync(place);
  closeSync(openSync(image, 'w'));
  truncateSync(image, 8 * 1024 * 1024);
  assert.equal(spawnSync('mke2fs', ['-q', '-t', 'ext4', image]).status, 0);
  assert.equal(spawnSync('mount', ['-o', 'loop', image, place]).status, 0);
  assert.equal(isDeadMount(place), false);
  assert.equal(isDeadMount(place, sysfs), true);
  mkdirSync(join(sysfs, 'dev/block', deviceNumber(statSync(place).dev)), { recursive: true });
  assert.equal(isDeadMount(place, sysfs), false);
  const open = openSync(place, 'r');
  await ownDiskTools.unmount(place);
  assert.equal(statSync(place).dev, statSync(folder).dev);
  closeSync(open);
});

test('a disk that is attached and cannot be mounted is refused with the reason; one that is not attached is awaited', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-refused-'));
  const [image, place, label] = [join(folder, 'image'), join(folder, 'disk'), 'aether-dead01'];
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(await ownDiskTools.mount(label, place), false);
  closeSync(openSync(image, 'w'));
  truncateSync(image, 8 * 1024 * 1024);
  const words = ['-q', '-t', 'ext4', '-O', '^metadata_csum', '-L', label, image];
  assert.equal(spawnSync('mke2fs', words).status, 0);
  // No inodes in a group: its label is found all the same.
  const file = openSync(image, 'r+');
  writeSync(file, new Uint8Array(4), 0, 4, 1024 + 40);
  closeSync(file);
  const device = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).stdout.trim();
  t.after(() => spawnSync('losetup', ['--detach', device]));
  const refused = { code: 'DISK_ADOPT_FAILED', message: /superblock.*[^.]$/ };
  await assert.rejects(ownDiskTools.mount(label, place), refused);
});
