import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleBytesMax, bundleRoomBytes } from '../../base/face-limits.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { BundleShelf, bundlePath, incomingPath } from './bundle-shelf.ts';

const entropy = new SeededEntropy(3);

async function openShelf(totalBytes?: number) {
  const disk = new MemoryDisk({ entropy, ...(totalBytes === undefined ? {} : { totalBytes }) });
  return { disk, shelf: await BundleShelf.open(disk) };
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('a bundle that comes in parts is kept as it was, and can be read in ranges', async () => {
  const { disk, shelf } = await openShelf();
  const bundle = entropy.bytes(10_000);
  await shelf.receive(bundle.length, inPieces(bundle, 999));
  await shelf.complete();
  assert.equal(await shelf.sizeBytes(), undefined, 'nothing is kept before it was found good');
  await shelf.keep(incomingPath);
  assert.equal(await shelf.sizeBytes(), 10_000);
  assert.deepEqual(await shelf.read(9_990, 100), bundle.subarray(9_990));
  disk.crash();
  assert.deepEqual(await shelf.read(0, 10_000), bundle, 'a power cut takes nothing of it');
});

test('one that stops in the middle is no bundle, and the one before stays', async () => {
  const { shelf } = await openShelf();
  const before = entropy.bytes(500);
  await shelf.receive(500, inPieces(before, 500));
  await shelf.complete();
  await shelf.keep(incomingPath);
  await shelf.put(0, 1000, entropy.bytes(400));
  await assert.rejects(shelf.complete(), { code: 'UPDATE_INCOMPLETE' });
  await assert.rejects(shelf.complete(), { code: 'UPDATE_INCOMPLETE' });
  assert.deepEqual(await shelf.read(0, 500), before);
});

test('two who send at once do not mix: the later one begins anew, the other one hears of it', async () => {
  const { shelf } = await openShelf();
  await shelf.put(0, 1000, entropy.bytes(400));
  await shelf.put(0, 800, entropy.bytes(300));
  await assert.rejects(shelf.put(400, 1000, entropy.bytes(400)), { code: 'UPDATE_OUT_OF_ORDER' });
  assert.equal(await shelf.put(300, 800, entropy.bytes(500)), 800);
  await shelf.complete();
});

test('what is too large, or more than the card has room for, is refused before it comes', async () => {
  const { shelf } = await openShelf(bundleRoomBytes + 1000);
  await assert.rejects(shelf.put(0, bundleBytesMax + 1, new Uint8Array(1)), { code: 'UPDATE_TOO_LARGE' });
  await assert.rejects(shelf.put(0, 2000, new Uint8Array(1)), { code: 'UPDATE_NO_ROOM' });
  await assert.rejects(shelf.put(0, 10, new Uint8Array(11)), { code: 'UPDATE_TOO_LARGE' });
});

test('what was coming in when the box stopped is gone at its next start', async () => {
  const { disk, shelf } = await openShelf();
  await shelf.put(0, 1000, entropy.bytes(400));
  await shelf.close();
  await BundleShelf.open(disk);
  assert.deepEqual((await disk.list('')).includes(incomingPath), false);
  assert.deepEqual((await disk.list('')).includes(bundlePath), false);
});
