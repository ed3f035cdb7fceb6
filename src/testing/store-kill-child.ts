/** Writes chunks into the folder that its argument names until it is killed; prints each one that is acknowledged. */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../base/bytes.ts';
import { silentLog } from '../base/log.ts';
import { LmdbStore } from '../platform/lmdb-store.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { nodeCompute } from '../platform/node-compute.ts';
import { NodeDisk } from '../platform/node-disk.ts';
import { nodeEntropy } from '../platform/node-entropy.ts';
import { ChunkStore } from '../store/chunk-store.ts';
import { chunkIdOf } from '../store/seal.ts';

const root = process.argv[2]!;
const volumes = ['disk1', 'disk2'].map((name) => ({
  name,
  disk: new NodeDisk(join(root, name)),
  openIndex: () => LmdbStore.open(join(root, name, 'index')),
  segmentBytes: 512 * 1024,
}));
const ports = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog, compute: nodeCompute };
const store = await ChunkStore.open({ volumes }, ports);

async function write(): Promise<never> {
  for (;;) {
    const size = nodeEntropy.bytes(2);
    const body = nodeEntropy.bytes(size[0]! * 256 + size[1]!);
    const id = chunkIdOf(body);
    await store.put(id, body);
    writeSync(1, `${toHex(id)}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, write));
