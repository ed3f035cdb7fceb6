import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { requestBytesInFlightMax } from '../src/base/limits.ts';
import { silentLog } from '../src/base/log.ts';
import { LmdbStore } from '../src/platform/lmdb-store.ts';
import { NodeClock } from '../src/platform/node-clock.ts';
import { nodeCompute } from '../src/platform/node-compute.ts';
import { NodeDisk } from '../src/platform/node-disk.ts';
import { nodeEntropy } from '../src/platform/node-entropy.ts';
import { requestsOf } from '../src/pool/transfer/chunk-entry.ts';
import { ChunkStore } from '../src/store/chunk-store.ts';
import { chunkIdOf } from '../src/store/seal.ts';
import { type Corpus, chunksOf, encodeNumbers, photographs } from './corpus.ts';
import {
  type BenchContext,
  type Benchmark,
  measure,
  measureCommand,
  type Row,
  type Sample,
} from './harness.ts';

const dataBytes = 256 * 1024 * 1024;
/** What one peer may have under way, in requests of a megabyte. */
const putsInFlight = requestBytesInFlightMax >> 20;
const getsInFlight = 16;
/** What the C loop syncs at once; as much as the store's own groups hold at most. */
const groupBytes = 8 * 1024 * 1024;

interface StoredChunk {
  readonly id: Uint8Array;
  readonly body: Uint8Array;
}

/** As a peer sends them. */
type Requests = readonly (readonly StoredChunk[])[];

/** The real store (one volume, real disk, real LMDB) with chunks that are as they come from a peer. */
export const storeBenchmark: Benchmark = {
  name: 'store',
  about: 'chunks put and got, durable, against write + fdatasync in C and cp',
  async run(context: BenchContext): Promise<readonly Row[]> {
    const corpus = photographs(dataBytes);
    const chunks = chunksOf(corpus).map((body) => ({ id: chunkIdOf(body), body }));
    const requests = requestsOf(chunks, (chunk) => chunk);
    const files = {
      data: context.file('store.data', corpus.data),
      ends: context.file('store.ends', encodeNumbers(corpus.ends)),
    };
    return [
      await compareWithLoop(context, corpus, requests, files),
      await compareWithCopy(context, corpus, requests, files.data),
      await compareReads(context, corpus, chunks, files),
    ];
  },
};

interface Files {
  readonly data: string;
  readonly ends: string;
}

function compareWithLoop(context: BenchContext, corpus: Corpus, requests: Requests, files: Files) {
  const copy = join(context.folder, 'store.loop');
  return context.compare({
    name: 'store put',
    peer: `C write, fdatasync each ${groupBytes >> 20} MiB`,
    unit: 'bytes',
    per: 'second',
    target: 0.5,
    rounds: 5,
    runOurs: () => putAll(context, corpus, requests),
    runPeer: async () => {
      const answer = await context.runPeer('write-sync', [files.data, files.ends, copy, groupBytes]);
      rmSync(copy);
      return answer;
    },
  });
}

function compareWithCopy(context: BenchContext, corpus: Corpus, requests: Requests, data: string) {
  const copy = join(context.folder, 'store.copy');
  return context.compare({
    name: 'store put (cp)',
    peer: 'cp and sync of the file',
    unit: 'bytes',
    per: 'second',
    rounds: 3,
    runOurs: () => putAll(context, corpus, requests),
    runPeer: async () => {
      const sample = await measureCommand(corpus.data.length, [
        'sh',
        '-c',
        'cp "$0" "$1" && sync "$1"',
        data,
        copy,
      ]);
      rmSync(copy);
      return sample;
    },
  });
}

/** Every chunk once, in an order that has nothing to do with where they lie; the files are in the page cache. */
async function compareReads(
  context: BenchContext,
  corpus: Corpus,
  chunks: readonly StoredChunk[],
  files: Files,
) {
  const order = shuffled(chunks.length);
  const orderFile = context.file('store.order', encodeNumbers(order));
  const { store, close } = await openStore(context, 'read');
  await eachOf(chunks, putsInFlight, ({ id, body }) => store.put(id, body));
  const ordered = order.map((index) => chunks[index]!);
  const row = await context.compare({
    name: 'store get',
    peer: 'C pread and a CRC of each',
    unit: 'bytes',
    per: 'second',
    rounds: 5,
    runOurs: () =>
      measure(corpus.data.length, () => eachOf(ordered, getsInFlight, ({ id }) => store.get(id))),
    runPeer: () => context.runPeer('read-chunks', [files.data, files.ends, orderFile]),
  });
  await close();
  return row;
}

async function putAll(context: BenchContext, corpus: Corpus, requests: Requests): Promise<Sample> {
  const { store, close } = await openStore(context, 'put');
  const sample = await measure(corpus.data.length, () =>
    eachOf(requests, putsInFlight, (chunks) => store.putMany(chunks)),
  );
  await close();
  return sample;
}

async function openStore(context: BenchContext, name: string) {
  const folder = join(context.folder, `volume-${name}`);
  const disk = new NodeDisk(folder);
  await disk.makeDirectory('');
  const volume = { name, disk, openIndex: () => LmdbStore.open(join(folder, 'index')) };
  const ports = { clock: new NodeClock(), entropy: nodeEntropy, log: silentLog, compute: nodeCompute };
  const store = await ChunkStore.open({ volumes: [volume] }, ports);
  const close = async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  };
  return { store, close };
}

/** Calls `work` for each item, `inFlight` at a time. */
async function eachOf<T>(
  items: readonly T[],
  inFlight: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** The numbers below `count` in an order that is the same every time. */
function shuffled(count: number): readonly number[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  let state = 12_345;
  for (let last = count - 1; last > 0; last--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (last + 1);
    [numbers[last], numbers[other]] = [numbers[other]!, numbers[last]!];
  }
  return numbers;
}
