import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestsOf, emptyBlockIndex } from './block-index.ts';

test('an index has the digest of each block in its place, of a file larger than what is read at once too', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-index-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'slot');
  const blocks = Array.from({ length: 1030 }, (_, index) => Buffer.alloc(4096, index % 251));
  writeFileSync(file, Buffer.concat(blocks));
  const { sha256, size, index } = digestsOf(file);
  assert.equal(sha256, createHash('sha256').update(Buffer.concat(blocks)).digest('hex'));
  assert.equal(size, 1030 * 4096);
  assert.equal(index.length, 1030 * 32);
  for (const place of [0, 1, 1023, 1024, 1029]) {
    const digest = createHash('sha256').update(blocks[place]!).digest();
    assert.deepEqual(index.subarray(place * 32, place * 32 + 32), digest, `block ${place}`);
  }
  assert.deepEqual(index.subarray(0, 32), emptyBlockIndex());
});

test('a file that is not of whole blocks has none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-index-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'slot');
  writeFileSync(file, Buffer.alloc(5000));
  assert.throws(() => digestsOf(file), /not of whole blocks/);
});
