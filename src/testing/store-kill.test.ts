import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromHex, toHex } from '../base/bytes.ts';
import { silentLog } from '../base/log.ts';
import { LmdbStore } from '../platform/lmdb-store.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeCompute } from '../platform/node-compute.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { ChunkStore } from '../store/chunk-store.ts';
import { chunkIdOf } from '../store/seal.ts';

const child = fileURLToPath(new URL('./store-kill-child.ts', import.meta.url));

/** Kills a program that writes chunks, once it has acknowledged `chunksMin`; returns the ids it has printed. */
async function writeUntilKilled(root: string, chunksMin: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [child, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(writer, 'exit');
  let output = '';
  writer.stdout.setEncoding('utf8');
  for await (const text of writer.stdout) {
    output += text;
    if (output.length >= chunksMin * 65 && !writer.killed) writer.kill('SIGKILL');
  }
  const [, signal] = await exited;
  assert.equal(signal, 'SIGKILL');
  return output.split('\n').slice(0, -1);
}

test('a program killed with SIGKILL while it writes has every chunk that it acknowledged', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'aether-kill-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  // A disk that is not there is no folder to be made.
  for (const name of ['disk1', 'disk2']) await mkdir(join(root, name));
  const acknowledged: string[] = [];
  for (const chunksMin of [1, 40, 150, 17]) acknowledged.push(...(await writeUntilKilled(root, chunksMin)));
  const volumes = ['disk1', 'disk2'].map((name) => ({
    name,
    disk: new NodeDisk(join(root, name)),
    openIndex: () => LmdbStore.open(join(root, name, 'index')),
  }));
  const ports = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog, compute: nodeCompute };
  const store = await ChunkStore.open({ volumes }, ports);
  assert.ok(acknowledged.length >= 208);
  for (const name of acknowledged) {
    const body = await store.get(fromHex(name)!);
    assert.equal(toHex(chunkIdOf(body)), name);
  }
  for (const { state, corruptRecords } of store.status().volumes) {
    assert.deepEqual({ state, corruptRecords }, { state: 'ok', corruptRecords: 0 });
  }
  await store.close();
});
