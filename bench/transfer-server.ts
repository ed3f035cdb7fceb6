/**
 * A box's side of the wire in a process of its own, so that its processor time can be told from its client's:
 * the real store, cache, dispatcher, frames and TLS, with a member list that lets everybody in.
 *
 * transfer-server.ts FOLDER COUNT SIZE COUNT SIZE …: makes its chunks (the n-th of `transferChunk`), prints its port.
 */
import { join } from 'node:path';
import { silentLog } from '../src/base/log.ts';
import { LmdbStore } from '../src/platform/lmdb-store.ts';
import { NodeClock } from '../src/platform/node-clock.ts';
import { nodeCompute } from '../src/platform/node-compute.ts';
import { NodeDisk } from '../src/platform/node-disk.ts';
import { nodeEntropy } from '../src/platform/node-entropy.ts';
import { TlsTransport } from '../src/platform/tls-transport.ts';
import { createIdentity } from '../src/pool/identity.ts';
import { handleChunks } from '../src/pool/transfer/chunk-handlers.ts';
import { PeerServer } from '../src/pool/transfer/peer-server.ts';
import { ChunkStore } from '../src/store/chunk-store.ts';
import { chunkIdOf } from '../src/store/seal.ts';
import { openDispatcher, transferChunk } from './transfer-parts.ts';

const [folder, ...shape] = process.argv.slice(2);
const clock = new NodeClock();
const ports = { clock, entropy: nodeEntropy, log: silentLog, compute: nodeCompute };
const disk = new NodeDisk(folder!);
await disk.makeDirectory('');
const volume = { name: 'bench', disk, openIndex: () => LmdbStore.open(join(folder!, 'index')) };
const store = await ChunkStore.open({ volumes: [volume] }, ports);
for (let index = 0; index < shape.length; index += 2) {
  const size = Number(shape[index + 1]);
  for (let number = 0; number < Number(shape[index]); number++) {
    const body = transferChunk(size, number);
    await store.put(chunkIdOf(body), body);
  }
}

const identity = await createIdentity(clock, nodeEntropy);
const dispatcher = openDispatcher('box');
handleChunks(dispatcher, store);
const server = new PeerServer({ transport: new TlsTransport(identity), dispatcher }, ports);
console.log(JSON.stringify({ port: await server.listen({ host: '127.0.0.1', port: 0 }) }));
