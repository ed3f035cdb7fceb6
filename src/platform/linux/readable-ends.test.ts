import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasReadableEnds } from './readable-ends.ts';

const mebibyte = 1024 * 1024;

test('a disk of which both ends can be read is readable; one that ends too soon or is gone is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-ends-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const disk = join(folder, 'disk');
  writeFileSync(disk, new Uint8Array(3 * mebibyte));
  assert.equal(await hasReadableEnds(disk, 3 * mebibyte), true);
  assert.equal(await hasReadableEnds(disk, 512 * 1024), true);
  assert.equal(await hasReadableEnds(disk, 3 * mebibyte + 4096), false);
  assert.equal(await hasReadableEnds(disk, 9 * mebibyte), false);
  assert.equal(await hasReadableEnds(join(folder, 'none'), mebibyte), false);
  assert.equal(await hasReadableEnds(folder, mebibyte), false);
});
