import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { storeCachedChunkBytesMax, volumeFullRecheckMs } from '../base/limits.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import type { ChunkStore } from './chunk-store.ts';
import { recordBytes } from './record.ts';

/** Too large for the cache, so that a second reading reads the disk. */
const largeBytes = storeCachedChunkBytesMax + 1000;

async function putAll(store: ChunkStore, chunks: readonly Chunk[]): Promise<void> {
  await Promise.all(chunks.map(({ id, body }) => store.put(id, body)));
}

async function readable(store: ChunkStore, chunks: readonly Chunk[]): Promise<void> {
  for (const { id, body } of chunks) assert.deepEqual(await store.get(id), body);
}

test('what was put is had back, also by the next start', async () => {
  const fixture = new StoreFixture(1);
  const store = await fixture.open();
  const chunks = [fixture.chunk(0), fixture.chunk(1), fixture.chunk(largeBytes), ...fixture.chunks(20)];
  await putAll(store, chunks);
  await readable(store, chunks);
  const before = store.status().volumes[0]!;
  assert.equal(before.chunkCount, chunks.length);
  await store.close();
  const again = await fixture.open();
  await readable(again, chunks);
  assert.deepEqual({ ...again.status().volumes[0]!, capacityBytes: 0 }, { ...before, capacityBytes: 0 });
});

test('many puts at once share a few syncs', async () => {
  const fixture = new StoreFixture(2);
  const store = await fixture.open();
  let syncs = 0;
  fixture.volumes[0]!.disk.intercept((operation) => {
    if (operation === 'sync') syncs++;
  });
  await putAll(store, fixture.chunks(200));
  assert.ok(syncs <= 5, `${syncs} syncs`);
});

test('a chunk put twice, one after the other or at once, is stored once', async () => {
  const fixture = new StoreFixture(3);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(1000);
  await Promise.all([store.put(id, body), store.put(id, body)]);
  await store.put(id, body);
  const { chunkCount, usedBytes } = store.status().volumes[0]!;
  assert.equal(chunkCount, 1);
  assert.equal(usedBytes, 32 + recordBytes(1000));
});

test('bytes that the id does not name are refused, and do not hold up those that it names', async () => {
  const fixture = new StoreFixture(4);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(1000);
  const wrong = store.put(id, fixture.chunk(1000).body);
  const right = store.put(id, body);
  await assert.rejects(wrong, { code: 'CHUNK_ID_MISMATCH' });
  await right;
  await readable(store, [{ id, body }]);
});

test('a chunk is not held before it is durable', async () => {
  const fixture = new StoreFixture(5);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(1000);
  let heldDuringSync: boolean | undefined;
  fixture.volumes[0]!.disk.intercept((operation) => {
    if (operation === 'sync') heldDuringSync = store.has(id);
  });
  await store.put(id, body);
  assert.equal(heldDuringSync, false);
  assert.equal(store.has(id), true);
});

test('a chunk that is not here, or too large, or comes after the close, is a clear error', async () => {
  const fixture = new StoreFixture(6);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(10);
  await assert.rejects(store.get(id), { code: 'CHUNK_NOT_FOUND' });
  await assert.rejects(store.put(id, new Uint8Array(2 * 1024 * 1024)), { code: 'CHUNK_TOO_LARGE' });
  await store.close();
  await assert.rejects(store.put(id, body), { code: 'STORE_CLOSED' });
  await assert.rejects(store.get(id), { code: 'STORE_CLOSED' });
});

test('a full disk is full, takes nothing more, keeps what it has, and stays below its reserve', async () => {
  const fixture = new StoreFixture(7, 1, { limitBytes: 100_000 });
  const store = await fixture.open();
  let changes = 0;
  store.onChange(() => changes++);
  const kept: Chunk[] = [];
  await assert.rejects(
    async () => {
      for (;;) {
        const chunk = fixture.chunk(5000);
        await store.put(chunk.id, chunk.body);
        kept.push(chunk);
      }
    },
    { code: 'STORE_FULL', help: /another disk/ },
  );
  const { state, usedBytes, capacityBytes } = store.status().volumes[0]!;
  assert.equal(state, 'full');
  assert.equal(capacityBytes, 95_000);
  assert.ok(usedBytes <= capacityBytes && usedBytes > capacityBytes - 5200);
  assert.equal(changes, 1);
  await readable(store, kept);
});

test('a disk that is full before its limit takes nothing of a group, and goes on when there is room', async () => {
  const fixture = new StoreFixture(8);
  const store = await fixture.open();
  const { disk } = fixture.volumes[0]!;
  const kept = fixture.chunks(5);
  await putAll(store, kept);
  disk.fillUp();
  const { usedBytes } = store.status().volumes[0]!;
  const late = fixture.chunk(2000);
  await assert.rejects(store.put(late.id, late.body), { code: 'STORE_FULL' });
  assert.equal(store.status().volumes[0]!.usedBytes, usedBytes);
  assert.equal(disk.contents('segments/00000001.seg').length, usedBytes);
  disk.resize(2 ** 40);
  await fixture.clock.run(20_000);
  await assert.rejects(store.put(late.id, late.body), { code: 'STORE_FULL' });
  await fixture.clock.run(1);
  await store.put(late.id, late.body);
  await readable(store, [...kept, late]);
});

test('a chunk that one disk has no room for goes to another', async () => {
  const fixture = new StoreFixture(9, 2);
  const store = await fixture.open();
  fixture.volumes[0]!.disk.fillUp();
  const chunks = fixture.chunks(40);
  await putAll(store, chunks);
  await readable(store, chunks);
  const [first, second] = store.status().volumes;
  assert.equal(first!.state, 'full');
  assert.equal(second!.chunkCount, 40);
});

test('the disk with the most free share gets the next chunk', async () => {
  const fixture = new StoreFixture(10, 2);
  fixture.volumes[0]!.disk.resize(1_000_000);
  fixture.volumes[1]!.disk.resize(3_000_000);
  const store = await fixture.open();
  for (const { id, body } of Array.from({ length: 100 }, () => fixture.chunk(10_000)))
    await store.put(id, body);
  const [small, large] = store.status().volumes.map(({ chunkCount }) => chunkCount);
  assert.ok(small! >= 23 && small! <= 27 && small! + large! === 100, `${small} and ${large}`);
});

for (const harm of ['vanishes', 'reports an error'] as const) {
  test(`a disk that ${harm} is dropped alone; what was on its way to it goes to another`, async () => {
    const fixture = new StoreFixture(11, 2);
    const store = await fixture.open();
    const before = fixture.chunks(10);
    await putAll(store, before);
    let changes = 0;
    store.onChange(() => changes++);
    const { disk } = fixture.volumes[0]!;
    disk.intercept((operation) => {
      if (operation === 'sync') disk.fail(harm === 'vanishes' ? 'DISK_GONE' : 'DISK_IO');
    });
    const chunks = fixture.chunks(40);
    await putAll(store, chunks);
    await readable(store, chunks);
    const [first, second] = store.status().volumes;
    assert.equal(first!.state, harm === 'vanishes' ? 'missing' : 'failed');
    assert.equal(first!.error?.code, harm === 'vanishes' ? 'DISK_GONE' : 'DISK_IO');
    assert.equal(second!.state, 'ok');
    assert.equal(changes, 1);
    const left = before.filter(({ id }) => store.has(id));
    assert.ok(left.length > 0 && left.length < before.length);
    await readable(store, left);
    await store.close();
  });
}

test('without any disk that works, put says so', async () => {
  const fixture = new StoreFixture(12);
  const store = await fixture.open();
  fixture.volumes[0]!.disk.vanish();
  const { id, body } = fixture.chunk(10);
  await assert.rejects(store.put(id, body), { code: 'STORE_NO_VOLUME' });
});

test('a disk that vanishes is noticed by a reader', async () => {
  const fixture = new StoreFixture(13);
  const store = await fixture.open();
  const chunk = fixture.chunk(largeBytes);
  await store.put(chunk.id, chunk.body);
  fixture.volumes[0]!.disk.vanish();
  await assert.rejects(store.get(chunk.id), { code: 'CHUNK_NOT_FOUND' });
  assert.equal(store.status().volumes[0]!.state, 'missing');
  assert.equal(store.has(chunk.id), false);
});

test('a damaged record is found by its reader, is not held any more, and a new put heals it', async () => {
  for (const offset of [32, 40, 60, 32 + 56, 32 + 56 + largeBytes - 1]) {
    const fixture = new StoreFixture(14);
    const store = await fixture.open();
    const chunks = [fixture.chunk(largeBytes), fixture.chunk(largeBytes)];
    await store.put(chunks[0]!.id, chunks[0]!.body);
    await store.put(chunks[1]!.id, chunks[1]!.body);
    fixture.volumes[0]!.disk.corrupt('segments/00000001.seg', offset);
    await assert.rejects(store.get(chunks[0]!.id), { code: 'CHUNK_CORRUPT' });
    assert.equal(store.has(chunks[0]!.id), false);
    assert.equal(store.status().volumes[0]!.corruptRecords, 1);
    await assert.rejects(store.get(chunks[0]!.id), { code: 'CHUNK_NOT_FOUND' });

    // It is remembered.
    await store.close();
    const again = await fixture.open();
    assert.equal(again.has(chunks[0]!.id), false);
    assert.equal(again.status().volumes[0]!.corruptRecords, 1);
    assert.equal(again.status().volumes[0]!.chunkCount, 1);

    await putAll(again, chunks);
    await readable(again, chunks);
    await again.close();
    const healed = await fixture.open();
    assert.equal(healed.status().volumes[0]!.corruptRecords, 0);
    assert.equal(healed.status().volumes[0]!.chunkCount, 2);
    await readable(healed, chunks);
  }
});

test('small chunks that were read are had from memory, large ones from the disk', async () => {
  const fixture = new StoreFixture(15);
  const store = await fixture.open();
  const small = fixture.chunk(100);
  const large = fixture.chunk(largeBytes);
  await putAll(store, [small, large]);
  await readable(store, [small, large]);
  fixture.volumes[0]!.disk.vanish();
  await readable(store, [small]);
  await assert.rejects(store.get(large.id), { code: 'CHUNK_NOT_FOUND' });
});

test('a disk of another pool is refused and left as it is; the others serve', async () => {
  const pool = (byte: number): Bytes => new Uint8Array(16).fill(byte);
  const fixture = new StoreFixture(16, 2);
  const store = await fixture.open(pool(1));
  await store.close();
  const foreign = new StoreFixture(17, 1);
  await (await foreign.open(pool(2))).close();
  fixture.volumes[1] = foreign.volumes[0]!;
  const label = foreign.volumes[0]!.disk.contents('volume.cbor');
  const mixed = await fixture.open(pool(1));
  const [own, other] = mixed.status().volumes;
  assert.equal(own!.state, 'ok');
  assert.equal(other!.state, 'failed');
  assert.equal(other!.error?.code, 'VOLUME_FOREIGN');
  const chunk = fixture.chunk(10);
  await mixed.put(chunk.id, chunk.body);
  assert.deepEqual(foreign.volumes[0]!.disk.contents('volume.cbor'), label);
});

test('a disk in use when the box is claimed carries the pool at once, without a restart', async () => {
  const fixture = new StoreFixture(19, 2);
  const pool = new Uint8Array(16).fill(1);
  const store = await fixture.open();
  await store.enterPool(pool);
  await store.enterPool(pool);
  fixture.crash();
  const elsewhere = await fixture.open(new Uint8Array(16).fill(2));
  assert.deepEqual(
    elsewhere.status().volumes.map(({ error }) => error?.code),
    ['VOLUME_FOREIGN', 'VOLUME_FOREIGN'],
  );
  await elsewhere.close();
});

test('a disk that cannot be told of the pool has failed, and the others serve', async () => {
  const fixture = new StoreFixture(20, 2);
  const store = await fixture.open();
  await fixture.volumes[0]!.disk.remove('volume.cbor');
  await store.enterPool(new Uint8Array(16).fill(1));
  assert.deepEqual(
    store.status().volumes.map(({ state, error }) => error?.code ?? state),
    ['VOLUME_LABEL_CORRUPT', 'ok'],
  );
  await store.close();
});

test('a disk made before the box was claimed becomes the pool’s, and stays it', async () => {
  const fixture = new StoreFixture(18);
  const pool = new Uint8Array(16).fill(1);
  const chunk = fixture.chunk(10);
  const first = await fixture.open();
  await first.put(chunk.id, chunk.body);
  await first.close();
  const claimed = await fixture.open(pool);
  await readable(claimed, [chunk]);
  await claimed.close();
  const without = await fixture.open();
  assert.equal(without.status().volumes[0]!.error?.code, 'VOLUME_FOREIGN');
});

test('one disk attached twice is used once', async () => {
  const fixture = new StoreFixture(19);
  await (await fixture.open()).close();
  fixture.volumes.push(fixture.volumes[0]!);
  const store = await fixture.open();
  const [first, second] = store.status().volumes;
  assert.equal(first!.state, 'ok');
  assert.equal(second!.error?.code, 'VOLUME_DUPLICATE');
});

test('a full disk that was made before the box was claimed is read all the same', async () => {
  const fixture = new StoreFixture(24);
  const unclaimed = await fixture.open();
  const [chunk] = fixture.chunks(1);
  await unclaimed.put(chunk!.id, chunk!.body);
  await unclaimed.close();
  const { disk } = fixture.volumes[0]!;
  disk.fillUp();
  const claimed = await fixture.open(new Uint8Array(16).fill(1));
  assert.deepEqual(await claimed.get(chunk!.id), chunk!.body);
  await claimed.close();
});

test('a disk that somebody else had filled when the box started is used once there is room', async () => {
  const fixture = new StoreFixture(25);
  await (await fixture.open()).close();
  const { disk } = fixture.volumes[0]!;
  disk.fillUp();
  const store = await fixture.open();
  const chunk = fixture.chunk(1000);
  await assert.rejects(store.put(chunk.id, chunk.body), { code: 'STORE_FULL' });
  disk.resize(2 ** 30);
  await fixture.clock.run(volumeFullRecheckMs);
  // This one only makes it ask the disk again.
  await assert.rejects(store.put(chunk.id, chunk.body), { code: 'STORE_FULL' });
  await store.put(chunk.id, chunk.body);
  assert.ok(store.status().volumes[0]!.capacityBytes > 2 ** 29);
  await store.close();
});

test('a volume reads well when one of its first chunks does, and one that does not loses nothing by being asked', async () => {
  const fixture = new StoreFixture(31);
  const store = await fixture.open();
  assert.deepEqual(await store.unreadable(), [], 'nothing is there to be read');
  const chunks = [fixture.chunk(largeBytes), fixture.chunk(largeBytes)];
  for (const { id, body } of chunks) await store.put(id, body);
  assert.deepEqual(await store.unreadable(), []);
  fixture.volumes[0]!.disk.corrupt('segments/00000001.seg', 32 + 56);
  assert.deepEqual(await store.unreadable(), [], 'one is damaged');
  fixture.volumes[0]!.disk.corrupt('segments/00000001.seg', 32 + recordBytes(largeBytes) + 56);
  assert.deepEqual(await store.unreadable(), [fixture.volumes[0]!.name]);
  assert.deepEqual(
    chunks.map(({ id }) => store.has(id)),
    [true, true],
    'it is not for a version on trial to say that they are damaged',
  );
});
