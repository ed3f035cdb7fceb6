import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, copyOf } from '../base/bytes.ts';
import { bundlePartBytes } from '../base/face-limits.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { bundleBytes, bundleParts } from './bundle-parts.ts';

const entropy = new SeededEntropy(1);

async function openFile(bytes: Uint8Array) {
  const file = await new MemoryDisk({ entropy }).open('bundle', 'create');
  await file.write([bytes], 0);
  return file;
}

test('a bundle is sent in parts, to where it ended when that began', async () => {
  const bundle = entropy.bytes(bundlePartBytes + 100);
  const file = await openFile(bundle);
  const totalBytes = await bundleBytes(file);
  await file.write([entropy.bytes(50)], totalBytes);
  const parts: Uint8Array[] = [];
  for await (const { offset, bytes } of bundleParts(file, totalBytes)) {
    assert.equal(offset, parts.length * bundlePartBytes);
    parts.push(copyOf(bytes));
  }
  assert.deepEqual(concat(parts), bundle);
});

test('a file that becomes shorter while it is sent is refused, and not sent for ever', async () => {
  const file = await openFile(entropy.bytes(3 * bundlePartBytes));
  const parts = bundleParts(file, await bundleBytes(file));
  await parts.next();
  await file.truncate(bundlePartBytes + 10);
  await parts.next();
  await assert.rejects(parts.next(), { code: 'UPDATE_INCOMPLETE', message: /became shorter/ });
});

test('an empty file is refused before anything is sent', async () => {
  await assert.rejects(bundleBytes(await openFile(new Uint8Array(0))), { code: 'UPDATE_INCOMPLETE' });
});
