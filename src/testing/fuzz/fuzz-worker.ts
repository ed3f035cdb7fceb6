/**
 * A thread that fuzzes one target, so that one that never ends can be ended. It writes the packet it is about to hand
 * over into shared memory: a loop without end says nothing any more, but the packet is there to be read.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { parseCorpus } from './corpus.ts';
import { type FuzzReport, FuzzSession, PacketSource } from './fuzz.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const heapSamples = 10;

export interface FuzzTask {
  /** A module that exports `fuzzTargets`. */
  readonly module: string;
  readonly target: string;
  /** The number of the packet, from 1; its length; its bytes. */
  readonly shared: SharedArrayBuffer;
  readonly seed: number;
  readonly count: number;
  /** Packets to replay instead, as a corpus's text. */
  readonly replay?: string;
}

export interface HeapSample {
  readonly packets: number;
  /** After a collection: objects, and buffers outside them. */
  readonly bytes: number;
}

export type FuzzMessage =
  | { readonly kind: 'progress'; readonly heap: HeapSample }
  | { readonly kind: 'done'; readonly report: FuzzReport };

async function main(task: FuzzTask): Promise<void> {
  const { fuzzTargets } = (await import(task.module)) as { fuzzTargets: readonly FuzzTarget[] };
  const target = fuzzTargets.find(({ name }) => name === task.target)!;
  const replayed = task.replay === undefined ? undefined : parseCorpus(task.replay);
  const source = new PacketSource(target, task.seed);
  const session = new FuzzSession(target);
  const count = replayed?.length ?? task.count;
  const numbers = new Int32Array(task.shared, 0, 2);
  const shown = new Uint8Array(task.shared, 8);
  for (let index = 0; index < count && !session.isOver; index++) {
    if (index % Math.ceil(count / heapSamples) === 0) tell({ kind: 'progress', heap: heapNow(index) });
    const bytes = replayed?.[index]?.bytes ?? source.packet(index);
    shown.set(bytes);
    Atomics.store(numbers, 1, bytes.length);
    Atomics.store(numbers, 0, index + 1);
    await session.receive(bytes);
  }
  tell({ kind: 'progress', heap: heapNow(count) });
  tell({ kind: 'done', report: session.report() });
}

const collect = garbageCollector();

function heapNow(packets: number): HeapSample {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return { packets, bytes: heapUsed + external };
}

/** V8's own, without a flag on the command line. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

function tell(message: FuzzMessage): void {
  parentPort!.postMessage(message);
}

await main(workerData as FuzzTask);
