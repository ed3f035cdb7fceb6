import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, truncateSync } from 'node:fs';
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
