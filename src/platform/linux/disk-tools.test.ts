import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deviceNumber } from './block-devices.ts';
import { describeRefusal, isDeadMount, whyNotMounted } from './disk-tools.ts';

test('numbers of devices are written as sysfs names them', () => {
  assert.equal(deviceNumber(8 * 256 + 16), '8:16');
  // Minor numbers above 255 are in two parts.
  assert.equal(deviceNumber(2 ** 20 + 259 * 256 + 2), '259:258');
});

test('a folder where nothing is mounted, and one that is not there, is no dead mount', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-mount-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'disk'));
  assert.equal(isDeadMount(join(folder, 'disk'), folder), false);
  assert.equal(isDeadMount(join(folder, 'none'), folder), false);
});

test('why a disk is not mounted is the last line that the system has left for its label', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-mount-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'aether-0abc12'),
    '17\nits file system has errors that are not mended by themselves\n',
  );
  assert.equal(
    await whyNotMounted('aether-0abc12', folder),
    'its file system has errors that are not mended by themselves',
  );
  assert.equal(await whyNotMounted('aether-ffffff', folder), undefined);
  writeFileSync(join(folder, 'aether-0abc12'), '');
  assert.equal(await whyNotMounted('aether-0abc12', folder), undefined);
});

test('of what mount says the reason alone is kept', () => {
  const said = [
    'mount: /box/mounts/aether-0abc12: wrong fs type, bad option, bad superblock on /dev/sda.',
    '       dmesg(1) may have more information after failed mount system call.',
  ].join('\n');
  assert.equal(describeRefusal(said), 'wrong fs type, bad option, bad superblock on /dev/sda');
  assert.equal(describeRefusal('mount: only root can do that.\n'), 'only root can do that');
  assert.equal(describeRefusal(''), 'the system does not say why');
});
