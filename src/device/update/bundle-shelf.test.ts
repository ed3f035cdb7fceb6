import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { bundleBytesMax, bundleRoomBytes } from '../../base/face-limits.ts';
import { silentLog } from '../../base/log.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { BundleShelf, type BundleUse, bundlePath, incomingPath } from './bundle-shelf.ts';

const entropy = new SeededEntropy(3);

const idle: BundleUse = { requireIdle: () => {}, stagedHere: false };

async function openShelf(totalBytes?: number, use = idle) {
  const disk = new MemoryDisk({ entropy, ...(totalBytes === undefined ? {} : { totalBytes }) });
  return { disk, shelf: await BundleShelf.open(disk, silentLog, () => use) };
}

async function writeFile(disk: MemoryDisk, path: string, sizeBytes: number): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.truncate(sizeBytes);
  await file.close();
}

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('a bundle that comes in parts is kept as it was, and can be read in ranges', async () => {
  const { disk, shelf } = await openShelf();
  const bundle = entropy.bytes(10_000);
  await shelf.receive(bundle.length, inPieces(bundle, 999));
  await shelf.complete();
  assert.equal(await shelf.version(), undefined);
  assert.equal(await shelf.sizeBytes(), undefined, 'nothing is kept before it was found good');
  await shelf.keep(incomingPath, '2.0.0');
  assert.equal(await shelf.sizeBytes(), 10_000);
  assert.deepEqual(await shelf.read(9_990, 100), bundle.subarray(9_990));
  disk.crash();
  assert.deepEqual(await shelf.read(0, 10_000), bundle, 'a power cut takes nothing of it');
  assert.equal(await shelf.version(), '2.0.0');
});

test('one that stops in the middle is no bundle, and the one before stays', async () => {
  const { shelf } = await openShelf();
  const before = entropy.bytes(500);
  await shelf.receive(500, inPieces(before, 500));
  await shelf.complete();
  await shelf.keep(incomingPath, '2.0.0');
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
  await BundleShelf.open(disk, silentLog, () => idle);
  assert.deepEqual((await disk.list('')).includes(incomingPath), false);
  assert.deepEqual((await disk.list('')).includes(bundlePath), false);
});

test('of an upload that is broken off nothing is left, and the one who sends next is not disturbed', async () => {
  const { disk, shelf } = await openShelf();
  async function* brokenOff() {
    yield entropy.bytes(400);
    throw new AetherError('LINK_CLOSED', 'the browser has gone');
  }
  await assert.rejects(shelf.receive(1000, brokenOff()), { code: 'LINK_CLOSED' });
  assert.deepEqual(disk.paths(), []);
  assert.equal(disk.openFiles, 0);
  const taken = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  async function* brokenOffLate() {
    yield entropy.bytes(400);
    taken.resolve();
    await begun.promise;
    throw new AetherError('LINK_CLOSED', 'the browser has gone');
  }
  const late = shelf.receive(1000, brokenOffLate());
  await taken.promise;
  const bundle = entropy.bytes(500);
  await shelf.put(0, 500, bundle.subarray(0, 200));
  begun.resolve();
  await assert.rejects(late, { code: 'LINK_CLOSED' });
  await shelf.put(200, 500, bundle.subarray(200));
  await shelf.complete();
});

test('two who begin at the same moment leave one file open, that of the second', async () => {
  const { disk, shelf } = await openShelf();
  await Promise.allSettled([shelf.put(0, 1000, entropy.bytes(400)), shelf.put(0, 800, entropy.bytes(300))]);
  assert.equal(disk.openFiles, 1);
  await shelf.put(300, 800, entropy.bytes(500));
  await shelf.complete();
});

test('a card that lets nothing be tidied keeps no box from starting', async () => {
  const disk = new MemoryDisk({ entropy });
  const file = await disk.open(incomingPath, 'create');
  await file.close();
  disk.intercept(() => {
    throw new AetherError('DISK_DENIED', 'the card takes no writing');
  });
  const shelf = await BundleShelf.open(disk, silentLog, () => idle);
  assert.deepEqual(await shelf.fromSticks(), { bundles: [], problems: [] });
});

test('the room that is kept for an update is given up for one that finds none else', async () => {
  const { disk, shelf } = await openShelf(bundleRoomBytes + 3000);
  await writeFile(disk, 'reserve', 1000);
  await shelf.put(0, 2000, entropy.bytes(400));
  await assert.rejects(shelf.put(0, 3500, new Uint8Array(1)), { code: 'UPDATE_NO_ROOM' });
  assert.deepEqual(disk.paths(), ['reserve'], 'it stays where it would not help');
  await shelf.put(0, 2500, entropy.bytes(400));
  assert.deepEqual(disk.paths(), [incomingPath]);
});

test('what is kept for other boxes goes for an update that finds no room else, what is staged does not', async () => {
  const roomFor = async (update: number, { reserve = 0, stagedHere = false }) => {
    const { disk, shelf } = await openShelf(bundleRoomBytes + 3000, { ...idle, stagedHere });
    await writeFile(disk, bundlePath, 2000);
    if (reserve > 0) await writeFile(disk, 'reserve', reserve);
    const { edition } = shelf;
    const taken = await shelf.put(0, update, new Uint8Array(1)).catch((error: AetherError) => error.code);
    assert.equal(shelf.edition !== edition, !disk.paths().includes(bundlePath), 'who offers it can tell');
    return [taken, ...disk.paths()];
  };
  assert.deepEqual(await roomFor(1000, {}), [1, bundlePath, incomingPath]);
  assert.deepEqual(await roomFor(2500, {}), [1, incomingPath]);
  assert.deepEqual(await roomFor(3500, {}), ['UPDATE_NO_ROOM', bundlePath]);
  assert.deepEqual(await roomFor(2500, { stagedHere: true }), ['UPDATE_NO_ROOM', bundlePath]);
  assert.deepEqual(await roomFor(1000, { reserve: 900 }), [1, bundlePath, incomingPath]);
  assert.deepEqual(await roomFor(1500, { reserve: 900 }), [1, incomingPath, 'reserve']);
  assert.deepEqual(await roomFor(3000, { reserve: 900 }), [1, incomingPath]);
  assert.deepEqual(await roomFor(1500, { reserve: 900, stagedHere: true }), [
    'UPDATE_NO_ROOM',
    bundlePath,
    'reserve',
  ]);
});

test('who ends a bundle when somebody else has begun hears of it, and takes nothing from them', async () => {
  const { disk, shelf } = await openShelf();
  await shelf.put(0, 400, entropy.bytes(400));
  const theirs = entropy.bytes(800);
  const begun = shelf.put(0, 800, theirs.subarray(0, 300));
  await assert.rejects(shelf.complete(), { code: 'UPDATE_INCOMPLETE' });
  await shelf.drop(incomingPath);
  assert.equal(await begun, 300);
  await shelf.put(300, 800, theirs.subarray(300));
  await shelf.complete();
  assert.deepEqual(disk.contents(incomingPath), theirs);
  await shelf.drop(incomingPath);
  assert.deepEqual(disk.paths(), []);
});

test('nobody begins while what came in is looked into, though nothing was when they asked', async () => {
  let isBusy = false;
  const requireIdle = () => {
    if (isBusy) throw new AetherError('UPDATE_BUSY', 'it is looked into');
  };
  const { disk, shelf } = await openShelf(undefined, { ...idle, requireIdle });
  const bundle = entropy.bytes(400);
  await shelf.put(0, 400, bundle);
  const completed = shelf.complete();
  const begun = shelf.put(0, 800, entropy.bytes(300));
  isBusy = true;
  await completed;
  await assert.rejects(begun, { code: 'UPDATE_BUSY' });
  assert.deepEqual(disk.contents(incomingPath), bundle);
});

test('one that is too large is refused before it takes the place of another', async () => {
  const { shelf } = await openShelf();
  await shelf.put(0, 800, entropy.bytes(300));
  await assert.rejects(shelf.put(0, bundleBytesMax + 1, new Uint8Array(1)), { code: 'UPDATE_TOO_LARGE' });
  assert.equal(await shelf.put(300, 800, entropy.bytes(500)), 800);
});

test('what a stick brought and could not bring is told once; what is half copied is nothing yet', async () => {
  const disk = new MemoryDisk({ entropy });
  const shelf = await BundleShelf.open(disk, silentLog, () => idle);
  for (const [name, text] of [
    ['sda1.raucb', 'a bundle'],
    ['sdb1.part', 'half of one'],
    ['sdc1.problem', 'no room\u001b[2J for it\n'],
  ] as const) {
    const file = await disk.open(`sticks/${name}`, 'create');
    await file.write([utf8(text)], 0);
    await file.close();
  }
  const bundles = ['sticks/sda1.raucb'];
  assert.deepEqual(await shelf.fromSticks(), { bundles, problems: ['no room\ufffd[2J for it'] });
  assert.deepEqual(await shelf.fromSticks(), { bundles, problems: [] });
  assert.deepEqual(await disk.list('sticks'), ['sda1.raucb', 'sdb1.part']);
});
