import assert from 'node:assert/strict';
import { test } from 'node:test';
import { volumeProbePeriodMs } from '../base/limits.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import type { ChunkStore } from './chunk-store.ts';

const pool = new Uint8Array(16).fill(7);

function states(store: ChunkStore): readonly string[] {
  return store.status().volumes.map(({ state }) => state);
}

async function stored(store: ChunkStore, chunk: Chunk): Promise<Chunk> {
  await store.put(chunk.id, chunk.body);
  return chunk;
}

test('a disk that is attached again is served again by itself, with what it held', async () => {
  const fixture = new StoreFixture(31);
  const store = await fixture.open();
  const { disk } = fixture.volumes[0]!;
  const chunk = await stored(store, fixture.chunk(5000));
  let changes = 0;
  store.onChange(() => changes++);
  disk.powerOff();
  store.pulled('disk1');
  assert.deepEqual(states(store), ['missing']);
  assert.equal(store.has(chunk.id), false);
  disk.crash();
  await fixture.clock.run(volumeProbePeriodMs);
  assert.deepEqual(states(store), ['ok']);
  assert.deepEqual(await store.get(chunk.id), chunk.body);
  assert.equal(changes, 2);
  await store.close();
});

test('a disk that a write failed on before anybody saw it go is pulled, not broken', async () => {
  const fixture = new StoreFixture(38);
  const store = await fixture.open();
  const { disk } = fixture.volumes[0]!;
  const chunk = await stored(store, fixture.chunk(5000));
  disk.fail('DISK_IO');
  const late = fixture.chunk(6000);
  await assert.rejects(store.put(late.id, late.body));
  assert.deepEqual(states(store), ['failed']);
  store.pulled('disk1');
  assert.deepEqual(states(store), ['missing']);
  disk.fail(undefined);
  await fixture.clock.run(volumeProbePeriodMs);
  assert.deepEqual(states(store), ['ok']);
  assert.deepEqual(await store.get(chunk.id), chunk.body);
  await store.close();
});

test('an empty mount point is a disk that is not attached: no new volume is made in it', async () => {
  const fixture = new StoreFixture(32, 2);
  const first = await fixture.open(pool);
  const knownId = first.status().volumes[0]!.id!;
  await first.close();
  const empty = new StoreFixture(33).volumes[0]!;
  const volumes = [{ ...empty.options, knownId }, fixture.volumes[1]!.options];
  const store = await fixture.openVolumes(volumes, pool);
  assert.deepEqual(states(store), ['missing', 'ok']);
  assert.equal(store.status().volumes[0]!.error?.code, 'VOLUME_MISSING');
  assert.deepEqual(await empty.disk.list(''), []);
  await store.close();
});

test('a volume whose label is gone is attached, and is said to be damaged', async () => {
  const fixture = new StoreFixture(39);
  const first = await fixture.open(pool);
  await stored(first, fixture.chunk(5000));
  const knownId = first.status().volumes[0]!.id!;
  await first.close();
  const { disk, options } = fixture.volumes[0]!;
  await disk.remove('volume.cbor');
  for (const known of [{ knownId }, {}]) {
    const store = await fixture.openVolumes([{ ...options, ...known }], pool);
    const [volume] = store.status().volumes;
    assert.deepEqual([volume!.state, volume!.error?.code], ['failed', 'VOLUME_LABEL_CORRUPT']);
    await store.close();
  }
});

test('another volume in the place of one that was pulled is not taken for it', async () => {
  const fixture = new StoreFixture(34);
  const store = await fixture.open(pool);
  const other = new StoreFixture(35);
  await (await other.open(pool)).close();
  fixture.volumes[0]!.disk.powerOff();
  store.pulled('disk1');
  fixture.volumes[0]!.disk.crash();
  const label = other.volumes[0]!.disk.contents('volume.cbor')!;
  await fixture.volumes[0]!.disk.remove('volume.cbor');
  const file = await fixture.volumes[0]!.disk.open('volume.cbor', 'create');
  await file.write([label], 0);
  await file.sync();
  await file.close();
  await store.reopen();
  assert.deepEqual(states(store), ['missing']);
  await store.close();
});

test('a disk that a box without a pool cannot open is opened once the box belongs to its pool', async () => {
  const fixture = new StoreFixture(36);
  const before = await fixture.open(pool);
  const chunk = await stored(before, fixture.chunk(100));
  await before.close();
  const store = await fixture.open();
  assert.deepEqual(states(store), ['failed']);
  await store.enterPool(pool);
  assert.deepEqual(states(store), ['ok']);
  assert.equal(store.has(chunk.id), true);
  await store.close();
});

test('a disk with read errors is not opened again and again', async () => {
  const fixture = new StoreFixture(37);
  const store = await fixture.open();
  fixture.volumes[0]!.disk.fail('DISK_IO');
  await fixture.clock.run(4 * volumeProbePeriodMs);
  assert.deepEqual(states(store), ['failed']);
  fixture.volumes[0]!.disk.fail(undefined);
  await fixture.clock.run(4 * volumeProbePeriodMs);
  assert.deepEqual(states(store), ['failed'], 'only when somebody says so');
  await store.reopen('disk1');
  assert.deepEqual(states(store), ['ok']);
  await store.close();
});
