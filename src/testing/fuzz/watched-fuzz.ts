import { Worker } from 'node:worker_threads';
import type { Bytes } from '../../base/bytes.ts';
import type { FuzzReport } from './fuzz.ts';
import type { FuzzMessage, FuzzTask, HeapSample } from './fuzz-worker.ts';

const sharedBytes = 8 + 65_536;

export interface WatchedRun {
  /** Undefined when the target had to be ended. */
  readonly report: FuzzReport | undefined;
  /** At even distances, the first before any packet. */
  readonly heap: readonly HeapSample[];
  /** The packet that the target never came back from. */
  readonly hung: { readonly index: number; readonly packet: Bytes } | undefined;
}

export interface WatchOptions extends Omit<FuzzTask, 'shared'> {
  /** On one packet, by the wall. */
  readonly hangMs: number;
  readonly onProgress?: (packets: number) => void;
}

/** Fuzzes a target in a thread, which is ended when one packet holds it for `hangMs`. */
export async function fuzzWatched({ hangMs, onProgress, ...task }: WatchOptions): Promise<WatchedRun> {
  const shared = new SharedArrayBuffer(sharedBytes);
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { ...task, shared } satisfies FuzzTask,
  });
  const heap: HeapSample[] = [];
  let report: FuzzReport | undefined;
  worker.on('message', (message: FuzzMessage) => {
    if (message.kind === 'done') report = message.report;
    else {
      heap.push(message.heap);
      onProgress?.(message.heap.packets);
    }
  });
  const numbers = new Int32Array(shared, 0, 2);
  let lastIndex = 0;
  let lastMoveMs = performance.now();
  let isHung = false;
  const watch = setInterval(() => {
    const index = Atomics.load(numbers, 0);
    if (index !== lastIndex) lastMoveMs = performance.now();
    lastIndex = index;
    if (index === 0 || report !== undefined || performance.now() - lastMoveMs < hangMs) return;
    isHung = true;
    void worker.terminate();
  }, hangMs / 10);
  try {
    await new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', resolve);
    });
  } finally {
    clearInterval(watch);
  }
  const packet = new Uint8Array(new Uint8Array(shared, 8, Atomics.load(numbers, 1)));
  return { report, heap, hung: isHung ? { index: lastIndex - 1, packet } : undefined };
}

/** Bytes that the heap grew by from the first half of a run to its second: of each the median, so that a peak says nothing. */
export function heapGrowth(heap: readonly HeapSample[]): number {
  // Before the first packet nothing has been filled yet.
  const later = heap.slice(1).map(({ bytes }) => bytes);
  const half = Math.floor(later.length / 2);
  return half === 0 ? 0 : median(later.slice(-half)) - median(later.slice(0, half));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
