import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { diskAnswerMs, diskCallsMax, storeCachedChunkBytesMax, volumeProbePeriodMs } from '../base/limits.ts';
import { isWithheld } from '../base/withheld-memory.ts';
import { Hang, HangingDisk } from '../testing/hanging-disk.ts';
import { MemoryKeyValueStore } from '../testing/memory-key-value-store.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import { AnswerGate } from './answer-gate.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { VolumeOptions } from './volume.ts';

/** A store on two disks, of which the first hangs when it is told to, and its index with it. */
class World {
  readonly fixture: StoreFixture;
  readonly disk = new Hang();
  readonly #index = new MemoryKeyValueStore({ commit: () => this.disk.turn() });

  constructor(seed: number) {
    this.fixture = new StoreFixture(seed, 2);
  }

  /** `more`: of the disk that hangs. */
  open(more: Partial<VolumeOptions> = {}): Promise<ChunkStore> {
    const [first, second] = this.fixture.volumes.map(({ options }) => options);
    const disk = new HangingDisk(first!.disk, this.disk);
    return this.fixture.openVolumes([
      { ...first!, disk, openIndex: async () => this.#index, ...more },
      second!,
    ]);
  }

  run(milliseconds: number): Promise<void> {
    return this.fixture.clock.run(milliseconds);
  }

  /** Chunks, large enough not to be cached, until each disk has some; resolves with those of the first one. */
  async fill(store: ChunkStore): Promise<readonly Chunk[]> {
    const chunks = this.fixture.chunks(12).map(() => this.fixture.chunk(storeCachedChunkBytesMax + 100));
    const first: Chunk[] = [];
    for (const { id, body } of chunks) {
      const before = store.status().volumes[0]!.chunkCount;
      await store.put(id, body);
      if (store.status().volumes[0]!.chunkCount > before) first.push({ id, body });
    }
    assert.ok(first.length > 0 && first.length < chunks.length, 'both disks are written to');
    return first;
  }
}

function states(store: ChunkStore): readonly string[] {
  return store.status().volumes.map(({ state }) => state);
}

test('a put to a disk that hangs goes to another one; the disk is used again when it answers, with all it had', async () => {
  const world = new World(51);
  const store = await world.open();
  const had = await world.fill(store);
  world.disk.hang();
  const chunks = world.fixture.chunks(6);
  const puts = Promise.all(chunks.map(({ id, body }) => store.put(id, body)));
  await world.run(diskAnswerMs + volumeProbePeriodMs);
  await puts;
  assert.deepEqual(states(store), ['failed', 'ok']);
  assert.equal(store.status().volumes[0]!.error?.code, 'DISK_SILENT');
  for (const { id, body } of chunks) assert.deepEqual(await store.get(id), body);
  assert.ok(world.disk.waiting <= diskCallsMax);
  const { waiting } = world.disk;
  await world.run(10 * diskAnswerMs);
  assert.equal(world.disk.waiting, waiting, 'it is left alone while it hangs');

  world.disk.answer();
  await world.run(2 * volumeProbePeriodMs);
  assert.deepEqual(states(store), ['ok', 'ok']);
  for (const { id, body } of had) assert.deepEqual(await store.get(id), body);
  await store.close();
});

test('a disk that hangs while it is read from is given up; what is elsewhere is served meanwhile', async () => {
  const world = new World(52);
  const store = await world.open();
  const [had] = await world.fill(store);
  world.disk.hang();
  const get = assert.rejects(store.get(had!.id), { code: 'CHUNK_NOT_FOUND' });
  const { id, body } = world.fixture.chunk(2000);
  await world.run(diskAnswerMs + 1);
  await get;
  await store.put(id, body);
  assert.deepEqual(await store.get(id), body);
  assert.equal(store.has(had!.id), false);
  world.disk.answer();
  await world.run(2 * volumeProbePeriodMs);
  assert.deepEqual(await store.get(had!.id), had!.body);
  await store.close();
});

test('a disk that hangs when the box starts holds it up for a while only, and is served when it answers', async () => {
  const world = new World(53);
  const before = await world.open();
  const [had] = await world.fill(before);
  await before.close();
  world.disk.hang();
  const opening = world.open();
  await world.run(diskAnswerMs + 1);
  const store = await opening;
  assert.deepEqual(states(store), ['failed', 'ok']);
  const { id, body } = world.fixture.chunk(2000);
  await store.put(id, body);
  world.disk.answer();
  await world.run(2 * volumeProbePeriodMs);
  assert.deepEqual(states(store), ['ok', 'ok']);
  assert.deepEqual(await store.get(had!.id), had!.body);
  await store.close();
});

test('a store whose disk hangs can be closed', async () => {
  const world = new World(54);
  const store = await world.open();
  await world.fill(store);
  world.disk.hang();
  const closing = store.close();
  await world.run(3 * diskAnswerMs);
  await closing;
});

test('a box that begins anew in the same program waits for what its earlier life had asked', async () => {
  const world = new World(55);
  const gate = new AnswerGate(world.fixture.clock);
  const first = await world.open({ gate });
  await world.fill(first);
  world.disk.hang();
  const late = world.fixture.chunks(4);
  const puts = Promise.all(late.map(({ id, body }) => first.put(id, body)));
  await world.run(diskAnswerMs);
  await puts;
  const closing = first.close();
  await world.run(2 * diskAnswerMs);
  await closing;
  const second = await world.open({ gate });
  assert.deepEqual(states(second), ['failed', 'ok']);
  assert.ok(world.disk.waiting <= diskCallsMax + 1, 'it is asked nothing more');
  world.disk.answer();
  await world.run(2 * volumeProbePeriodMs);
  assert.deepEqual(states(second), ['ok', 'ok']);
  const after = await world.fill(second);
  for (const { id, body } of [...late, ...after]) assert.deepEqual(await second.get(id), body);
  assert.equal(second.status().volumes[0]!.corruptRecords, 0);
  await second.close();
});

test('a disk that an earlier life has not let go of is asked for again', async () => {
  const world = new World(56);
  let isTaken = true;
  const index = new MemoryKeyValueStore();
  const openIndex = async () => {
    if (isTaken) throw new AetherError('DISK_IN_USE', 'a box stores there already');
    return index;
  };
  const store = await world.open({ openIndex });
  assert.deepEqual(states(store), ['failed', 'ok']);
  isTaken = false;
  await world.run(2 * volumeProbePeriodMs);
  assert.deepEqual(states(store), ['ok', 'ok']);
  await store.close();
});

test('what a silent disk may still read is not used again, though the put went well elsewhere', async () => {
  const world = new World(57);
  const store = await world.open();
  await world.fill(store);
  world.disk.hang();
  const chunks = world.fixture.chunks(6);
  const puts = Promise.all(chunks.map(({ id, body }) => store.put(id, body)));
  await world.run(2 * diskAnswerMs);
  await puts;
  assert.equal(store.status().volumes[0]!.error?.code, 'DISK_SILENT');
  assert.ok(chunks.some(({ body }) => isWithheld(body)));
  world.disk.answer();
  await world.run(2 * volumeProbePeriodMs);
  await store.close();
});

test('the first put into a new segment is told in time for another disk, too', async () => {
  const world = new World(58);
  const store = await world.open();
  world.disk.hang();
  const { id, body } = world.fixture.chunk(1000);
  let isDone = false;
  const put = store.put(id, body).then(() => {
    isDone = true;
  });
  await world.run(diskAnswerMs + 1000);
  assert.equal(isDone, true);
  await put;
  world.disk.answer();
  await store.close();
});
