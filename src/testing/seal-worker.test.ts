import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bytes, copyOf, toHex } from '../base/bytes.ts';
import { sealBatchesInFlightMax } from '../base/limits.ts';
import type { SealSecrets } from '../files/contents/content-sealer.ts';
import { getPath } from '../files/download/download.ts';
import type { PoolTree } from '../files/pool-tree.ts';
import { putPaths, type UploadPorts } from '../files/upload/upload.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { NodeLocalFiles } from '../platform/node-local-files.ts';
import { NodeTaskPool } from '../platform/node-task-pool.ts';
import { logFixture, openTreeBox } from './log-fixture.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const random = new SeededEntropy(11);
const secrets: SealSecrets = {
  chunkKeySecret: random.bytes(32),
  gearTable: new Uint32Array(random.bytes(1024).buffer),
  suite: 'aes-256-gcm',
};

async function newSource(context: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'aether-seal-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'src', 'empty'), { recursive: true });
  return root;
}

async function newPorts(context: TestContext, chunks: UploadPorts['chunks']) {
  const sealers = new NodeTaskPool({
    program: new URL('../seal-worker.ts', import.meta.url),
    size: 2,
    setup: secrets,
  });
  context.after(() => sealers.close());
  const { service } = await openTreeBox(logFixture(1));
  const tree: PoolTree = {
    commit: (changes) => service.commit(changes),
    stat: (path) => service.stat(path),
    list: async function* (path) {
      yield* (await service.list(path)).entries;
    },
  };
  return { files: new NodeLocalFiles(), sealers, chunks, tree, clock: new NodeClock() };
}

test('real files go through real threads and come back the same', async (context) => {
  const root = await newSource(context);
  const contents = new Map<string, Bytes>();
  for (const [name, size] of [
    ['large', 9_000_001],
    ['middle', 300_000],
    ['edge', 4097],
    ['nothing', 0],
  ] as const) {
    contents.set(name, random.bytes(size));
  }
  for (let index = 0; index < 200; index++) contents.set(`small-${index}`, random.bytes(index * 30));
  for (const [name, bytes] of contents) await writeFile(join(root, 'src', name), bytes);
  await symlink('large', join(root, 'src', 'link'));

  const chunks = new Map<string, Bytes>();
  const sink: UploadPorts['chunks'] = {
    putMany: async (batch) => {
      for (const { id, body } of batch) chunks.set(toHex(id), copyOf(body));
      return batch.map(() => ({ copies: 2 }));
    },
  };
  const ports = await newPorts(context, sink);
  const result = await putPaths([join(root, 'src')], [], ports);
  assert.deepEqual([result.files, result.directories, result.links, result.skipped], [204, 2, 1, 0]);

  const source = { get: async (id: Bytes) => chunks.get(toHex(id))! };
  const back = await getPath(['src'], join(root, 'back'), { ...ports, entropy: random, chunks: source });
  assert.deepEqual([back.files, back.failed], [204, 0]);
  for (const [name, bytes] of contents) {
    assert.equal(Buffer.compare(await readFile(join(root, 'back', name)), bytes), 0, name);
  }
});

test('threads wait when nothing is acknowledged, and are let go when the put fails', async (context) => {
  const root = await newSource(context);
  await writeFile(join(root, 'src', 'large'), random.bytes(24 * 2 ** 20));
  let batches = 0;
  const full = Promise.withResolvers<void>();
  const ports = await newPorts(context, {
    putMany: async () => {
      batches++;
      if (batches === sealBatchesInFlightMax) full.resolve();
      await full.promise;
      throw Object.assign(new Error('full'), { code: 'POOL_FULL' });
    },
  });
  await assert.rejects(putPaths([join(root, 'src')], [], ports), { code: 'POOL_FULL' });
  assert.ok(batches <= sealBatchesInFlightMax + 1, `${batches} batches were posted`);
});
