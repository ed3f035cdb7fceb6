import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { volumeProbeFailuresMax, volumeProbeFreshMs, volumeProbePeriodMs } from '../base/limits.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { fakeCompute } from '../testing/fake-compute.ts';
import { MemoryKeyValueStore } from '../testing/memory-key-value-store.ts';
import { StoreFixture } from '../testing/store-fixture.ts';
import { ChunkStore } from './chunk-store.ts';

test('a chunk whose only disk was taken away is neither acknowledged again nor said to be held', async () => {
  const fixture = new StoreFixture(1);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(1000);
  await store.put(id, body);
  assert.equal(await store.holds(id), true);
  fixture.volumes[0]!.disk.vanish();
  await fixture.clock.run(volumeProbeFreshMs + 1);
  await assert.rejects(store.put(id, body), { code: 'STORE_NO_VOLUME' });
  assert.equal(await store.holds(id), false);
  const { state, error } = store.status().volumes[0]!;
  assert.equal(state, 'missing');
  assert.equal(error?.code, 'DISK_GONE');
});

test('a chunk whose disk was taken away is written to another disk when it is put again', async () => {
  const fixture = new StoreFixture(2, 2);
  const store = await fixture.open();
  const { id, body } = fixture.chunk(1000);
  await store.put(id, body);
  const holder = fixture.volumes.find(({ name }) => {
    return store.status().volumes.some((volume) => volume.name === name && volume.chunkCount === 1);
  });
  holder!.disk.vanish();
  await fixture.clock.run(volumeProbeFreshMs + 1);
  await store.put(id, body);
  assert.deepEqual(
    store.status().volumes.map(({ name, chunkCount }) => [name, chunkCount]),
    fixture.volumes.map(({ name }) => [name, name === holder!.name ? 0 : 1]),
  );
});

test('a disk that is taken away while nobody uses it shows in the status', async () => {
  const fixture = new StoreFixture(3, 2);
  const store = await fixture.open();
  let changes = 0;
  store.onChange(() => changes++);
  fixture.volumes[1]!.disk.vanish();
  await fixture.clock.run(volumeProbePeriodMs);
  assert.deepEqual(
    store.status().volumes.map(({ state }) => state),
    ['ok', 'missing'],
  );
  assert.equal(changes, 1);
});

test('those who ask for chunks that are held look at the disk once in a while, together', async () => {
  const fixture = new StoreFixture(4);
  const store = await fixture.open();
  const { disk } = fixture.volumes[0]!;
  const chunks = fixture.chunks(50);
  await Promise.all(chunks.map(({ id, body }) => store.put(id, body)));
  await fixture.clock.run(volumeProbeFreshMs + 1);
  let looks = 0;
  const open = disk.open.bind(disk);
  disk.open = (path, mode) => {
    looks++;
    return open(path, mode);
  };
  await Promise.all(chunks.map(({ id, body }) => store.put(id, body)));
  await Promise.all(chunks.map(({ id }) => store.holds(id)));
  assert.equal(looks, 1);
});

test('a disk that answers with errors is given up after a few looks, and one that recovers is kept', async () => {
  const fixture = new StoreFixture(5);
  const store = await fixture.open();
  const { disk } = fixture.volumes[0]!;
  const state = () => store.status().volumes[0]!.state;
  disk.fail('DISK_IO');
  await fixture.clock.run((volumeProbeFailuresMax - 1) * volumeProbePeriodMs);
  disk.fail(undefined);
  await fixture.clock.run(volumeProbePeriodMs);
  disk.fail('DISK_IO');
  await fixture.clock.run((volumeProbeFailuresMax - 1) * volumeProbePeriodMs);
  assert.equal(state(), 'ok');
  await fixture.clock.run(volumeProbePeriodMs);
  assert.equal(state(), 'failed');
});

for (const what of ['the folder', 'what is in the folder'] as const) {
  test(`a real volume of which somebody deletes ${what} acknowledges nothing more`, async (context) => {
    const root = await mkdtemp(join(tmpdir(), 'aether-probe-'));
    context.after(() => rm(root, { recursive: true, force: true }));
    const fixture = new StoreFixture(6);
    const { clock, entropy, log } = fixture;
    const index = new MemoryKeyValueStore({ entropy });
    const volume = { name: 'real', disk: new NodeDisk(root), openIndex: async () => index };
    const store = await ChunkStore.open({ volumes: [volume] }, { clock, entropy, log, compute: fakeCompute });
    context.after(() => store.close());
    const { id, body } = fixture.chunk(1000);
    await store.put(id, body);
    if (what === 'the folder') await rm(root, { recursive: true });
    else
      await Promise.all(['volume.cbor', 'segments'].map((name) => rm(join(root, name), { recursive: true })));
    await assert.rejects(store.put(id, body), { code: 'STORE_NO_VOLUME' });
    assert.equal(await store.holds(id), false);
    assert.equal(store.status().volumes[0]!.state, 'missing');
  });
}
