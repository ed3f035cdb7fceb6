import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { type Bytes, compareBytes, copyOf, equalBytes, toHex } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { chunkIdsPerRequestMax } from '../../base/limits.ts';
import { fakeCompute } from '../../testing/fake-compute.ts';
import { fakeKey, PeerWorld, worldPool } from '../../testing/peer-world.ts';
import { computePlacement } from '../placement/placement.ts';
import { type ChunkHolder, handleChunks } from './chunk-handlers.ts';
import { ChunkReplicator } from './chunk-replication.ts';
import { methods } from './methods.ts';
import { PeerDirectory } from './peer-directory.ts';

const names = ['a', 'b', 'c', 'd'] as const;
const nameOf = (memberId: Bytes) => names.find((name) => equalBytes(fakeKey(name).memberId, memberId));

/** Chunks in memory, with the faults of real stores on demand. */
class FaultyStore implements ChunkHolder {
  readonly chunks = new Map<string, Bytes>();
  fault: 'none' | 'full' | 'silent' | 'corrupt' = 'none';
  puts = 0;
  requests = 0;

  async putMany(chunks: readonly { readonly id: Bytes; readonly body: Bytes }[]): Promise<void> {
    this.puts += chunks.length;
    this.requests++;
    if (this.fault === 'full') throw new AetherError('STORE_FULL', 'no room');
    if (this.fault === 'silent') await new Promise(() => {});
    for (const { id, body } of chunks) this.chunks.set(toHex(id), copyOf(body));
  }

  async get(id: Bytes): Promise<Bytes> {
    const body = this.chunks.get(toHex(id));
    if (body === undefined) throw new AetherError('CHUNK_NOT_FOUND', 'not here');
    return this.fault === 'corrupt' ? body.map((byte) => byte ^ 1) : body;
  }

  async holds(id: Bytes): Promise<boolean> {
    return this.chunks.has(toHex(id));
  }
}

function chunk(seed: number, sizeBytes = 1000) {
  const body = new Uint8Array(sizeBytes).map((_, index) => (index * seed + (index >> 8) + seed) & 0xff);
  return { id: new Uint8Array(hash('sha256', body, 'buffer')), body };
}

/** Four boxes of one pool, and a replicator on a desktop, or on box `a`. */
async function pool(on: 'desk' | 'a' = 'desk', replicas = 2) {
  const world = new PeerWorld();
  world.admit('desk', 'desktop');
  const stores = new Map<string, FaultyStore>();
  for (const name of names) {
    world.admit(name, 'box');
    const store = new FaultyStore();
    stores.set(name, store);
    const dispatcher = world.dispatcher(name);
    handleChunks(dispatcher, store);
    await world.serve(name, dispatcher);
  }
  const directory = new PeerDirectory(
    {
      self: fakeKey(on).memberId,
      transport: world.network.transportFor(on, fakeKey(on)),
      dispatcher: world.dispatcher(on, on === 'a' ? 'box' : 'desktop'),
      pool: () => worldPool,
    },
    { clock: world.clock, entropy: world.entropy, log: world.log },
  );
  for (const name of names) directory.hint(fakeKey(name).memberId, [{ host: name, port: 4000 }]);
  const members = names.map((name) => ({ memberId: fakeKey(name).memberId, capacityUnits: 100 }));
  const placement = computePlacement(members, replicas);
  const corrupt: string[] = [];
  const replicator = new ChunkReplicator(
    {
      placement: () => placement,
      directory,
      onCorrupt: ({ memberId }) => corrupt.push(nameOf(memberId)!),
      ...(on === 'a' ? { local: { memberId: fakeKey('a').memberId, store: stores.get('a')! } } : {}),
    },
    { compute: fakeCompute, log: world.log },
  );
  const put = async (one: { readonly id: Bytes; readonly body: Bytes }) =>
    (await world.clock.runUntil(replicator.putMany([one])))[0]!;
  const order = (id: Bytes) => placement.preference(id).map((memberId) => nameOf(memberId)!);
  const store = (name: string) => stores.get(name)!;
  return {
    world,
    stores,
    store,
    replicator,
    put,
    directory,
    corrupt,
    order,
    run: world.clock.runUntil.bind(world.clock),
  };
}

test('a chunk goes to its holders, and comes back', async () => {
  const { replicator, store, order, run, put } = await pool();
  const { id, body } = chunk(1);
  const result = await put({ id, body });
  const [first, second, third] = order(id);
  assert.equal(result.copies, 2);
  assert.deepEqual(new Set(result.holders.map(nameOf)), new Set([first, second]));
  assert.deepEqual(
    await Promise.all([store(first!).holds(id), store(second!).holds(id), store(third!).holds(id)]),
    [true, true, false],
  );
  assert.deepEqual(await run(replicator.get(id)), body);
});

test('an alternate stands in for a holder that is full, down, or silent', async () => {
  for (const fault of ['full', 'down', 'silent'] as const) {
    const { world, replicator, store, order, run, put } = await pool();
    const { id, body } = chunk(2);
    const [first, second, third] = order(id);
    if (fault === 'down') world.network.crash(first!, 'silent');
    else store(first!).fault = fault;
    const { copies, holders } = await put({ id, body });
    assert.equal(copies, 2, fault);
    assert.deepEqual(new Set(holders.map(nameOf)), new Set([second, third]), fault);
    assert.deepEqual(await run(replicator.get(id)), body, fault);
  }
});

test('with one box left there is one copy, and with none POOL_UNREACHABLE', async () => {
  const { world, replicator, order, run, put } = await pool();
  const { id, body } = chunk(3);
  for (const name of order(id).slice(0, 3)) world.network.crash(name);
  const { copies, holders } = await put({ id, body });
  assert.deepEqual([copies, nameOf(holders[0]!)], [1, order(id)[3]]);
  world.network.crash(order(id)[3]!);
  await assert.rejects(put({ id, body }), { code: 'POOL_UNREACHABLE' });
  await assert.rejects(run(replicator.get(id)), { code: 'POOL_UNREACHABLE' });
});

test('POOL_FULL when every box that answers is full', async () => {
  const { world, stores, put } = await pool();
  for (const store of stores.values()) store.fault = 'full';
  world.network.crash('b');
  const { id, body } = chunk(4);
  await assert.rejects(put({ id, body }), { code: 'POOL_FULL' });
});

test('a corrupt copy is passed over and reported, and found out when there is no other', async () => {
  const { replicator, store, order, corrupt, run, put } = await pool();
  const { id, body } = chunk(5);
  await put({ id, body });
  const [first, second] = order(id);
  store(first!).fault = 'corrupt';
  assert.deepEqual(await run(replicator.get(id)), body);
  assert.deepEqual(corrupt, [first]);
  store(second!).fault = 'corrupt';
  await assert.rejects(run(replicator.get(id)), { code: 'CHUNK_CORRUPT' });
});

test('a chunk that only a box outside its holders has is found; one that none has is CHUNK_NOT_FOUND', async () => {
  const { replicator, store, order, run } = await pool();
  const { id, body } = chunk(6);
  await assert.rejects(run(replicator.get(id)), { code: 'CHUNK_NOT_FOUND' });
  store(order(id)[3]!).chunks.set(toHex(id), body);
  assert.deepEqual(await run(replicator.get(id)), body);
});

test('on a box its own store counts, and is asked first when it is a holder', async () => {
  const { world, replicator, store, run, put } = await pool('a', 4);
  const { id, body } = chunk(7);
  assert.equal((await put({ id, body })).copies, 4);
  assert.equal(await store('a').holds(id), true);
  for (const name of ['b', 'c', 'd']) world.network.crash(name);
  assert.deepEqual(await run(replicator.get(id)), body);
});

test('a batch asks first and sends only what is missing, to those who miss it', async () => {
  const { stores, store, order, replicator, run } = await pool();
  const chunks = Array.from({ length: 3 * chunkIdsPerRequestMax }, (_, index) =>
    chunk(index + 1, 40 + index),
  );
  await run(replicator.putMany(chunks.slice(0, 2000)));
  const [{ id }] = [chunks[0]!];
  store(order(id)[1]!).chunks.delete(toHex(id));
  for (const each of stores.values()) [each.puts, each.requests] = [0, 0];
  const results = await run(replicator.putMany(chunks));
  assert.ok(results.every(({ copies }) => copies === 2));
  const puts = [...stores.values()].reduce((sum, each) => sum + each.puts, 0);
  assert.equal(puts, 2 * (chunks.length - 2000) + 1);
  // Some 1.5 MB for each box, in frames of 1 MiB.
  assert.deepEqual(
    [...stores.values()].map(({ requests }) => requests),
    [2, 2, 2, 2],
  );
});

test('a batch with a failure rejects with it after all the others were written', async () => {
  const { stores, replicator, run } = await pool('desk', 1);
  for (const store of stores.values()) store.fault = 'full';
  const chunks = [chunk(1), chunk(2)].sort((one, other) => compareBytes(one.id, other.id));
  await assert.rejects(run(replicator.putMany(chunks)), { code: 'POOL_FULL' });
  for (const store of stores.values()) store.fault = 'none';
  assert.deepEqual(
    (await run(replicator.putMany(chunks))).map(({ copies }) => copies),
    [1, 1],
  );
});

test('chunk requests with a payload of the wrong length are PAYLOAD_INVALID', async () => {
  const { directory, run } = await pool();
  const box = await run(directory.connection(fakeKey('a').memberId));
  for (const [method, size] of [
    [methods.chunkPut, 32],
    [methods.chunkGet, 33],
    [methods.chunkHas, 31],
    [methods.chunkHas, 32 * (chunkIdsPerRequestMax + 1)],
  ] as const) {
    await assert.rejects(run(box.request(method, new Uint8Array(size))), { code: 'PAYLOAD_INVALID' });
  }
});
