import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { indexCommitDelayMs } from '../base/limits.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { ChunkBody } from './volume.ts';

async function filled(
  fixture: StoreFixture,
  count: number,
): Promise<{ store: ChunkStore; chunks: readonly Chunk[] }> {
  const store = await fixture.open();
  const chunks = fixture.chunks(count);
  await store.putMany(chunks);
  for (const { id, body } of fixture.chunks(count)) await store.put(id, body);
  return { store, chunks };
}

test('what a disk holds is on the others before it may be pulled', async () => {
  const fixture = new StoreFixture(41, 3);
  const { store } = await filled(fixture, 600);
  const [first] = store.status().volumes;
  const all = store.status().volumes.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
  let bytes = 0;
  await store.retire('disk1', undefined, (more) => {
    bytes += more;
  });
  const after = store.status().volumes;
  assert.deepEqual(
    after.map(({ state }) => state),
    ['retired', 'ok', 'ok'],
  );
  assert.equal(after[1]!.chunkCount + after[2]!.chunkCount, all);
  assert.ok(bytes > 0 && bytes <= first!.usedBytes, `${bytes} of ${first!.usedBytes}`);
  await store.close();
});

test('every chunk can be read all the while, and is not said to be held by the disk that goes', async () => {
  const fixture = new StoreFixture(42, 2);
  const { store, chunks } = await filled(fixture, 300);
  const retiring = store.retire('disk1');
  await Promise.all(chunks.map(async ({ id, body }) => assert.deepEqual(await store.get(id), body)));
  await retiring;
  fixture.volumes[0]!.disk.vanish();
  for (const { id, body } of chunks) assert.deepEqual(await store.get(id), body);
  await store.close();
});

test('a chunk that is put while its disk is emptied is written to another', async () => {
  const fixture = new StoreFixture(43, 2);
  const { store, chunks } = await filled(fixture, 300);
  const retiring = store.retire('disk1');
  await store.putMany(chunks);
  for (const { id } of chunks) assert.equal(store.has(id), true);
  await retiring;
  await store.close();
});

test('without room elsewhere the disk stays in use, and nothing was taken from it', async () => {
  const fixture = new StoreFixture(44);
  const { store, chunks } = await filled(fixture, 20);
  await assert.rejects(store.retire('disk1'), { code: 'RETIRE_NO_ROOM' });
  assert.equal(store.status().volumes[0]!.state, 'ok');
  for (const { id } of chunks) assert.equal(await store.holds(id), true);
  await assert.rejects(store.retire('disk9'), { code: 'VOLUME_UNKNOWN' });
  await store.close();
});

test('what the other disks have no room for goes to other boxes, and their no is heard', async () => {
  const fixture = new StoreFixture(45);
  const { store, chunks } = await filled(fixture, 20);
  const refusing = async () => {
    throw new AetherError('RETIRE_NO_ROOM', 'full');
  };
  await assert.rejects(store.retire('disk1', refusing), { code: 'RETIRE_NO_ROOM' });
  const taken: ChunkBody[] = [];
  await store.retire('disk1', async (some) => void taken.push(...some));
  assert.equal(taken.length, 40);
  assert.deepEqual(
    chunks.filter(({ id }) => store.has(id)),
    [],
  );
  await store.close();
});

test('a disk without room for its own index is emptied all the same', async () => {
  const fixture = new StoreFixture(46);
  const { store, chunks } = await filled(fixture, 20);
  await fixture.clock.run(indexCommitDelayMs);
  const late = fixture.chunks(5);
  fixture.volumes[0]!.index.fail('DISK_FULL');
  await store.putMany(late);
  const taken: string[] = [];
  await store.retire('disk1', async (some) => void taken.push(...some.map(({ id }) => toHex(id))));
  assert.equal(new Set(taken).size, 45);
  assert.deepEqual(
    [...chunks, ...late].filter(({ id }) => !taken.includes(toHex(id))),
    [],
  );
  await store.close();
});
