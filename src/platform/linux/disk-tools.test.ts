import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { deviceNumber } from './block-devices.ts';
import { isDeadMount } from './disk-tools.ts';

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
