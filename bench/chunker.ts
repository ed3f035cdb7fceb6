import { Chunker, cutMasks, defaultChunkerParameters } from '../src/store/chunker/chunker.ts';
import { type BenchContext, type Benchmark, noise, type Row, type Sample } from './harness.ts';

const dataBytes = 256 * 1024 * 1024;

/** Chunks found in bytes that are in memory, in windows of 4 MiB that are filled outside the measured time. */
export const chunkerBenchmark: Benchmark = {
  name: 'chunker',
  about: 'FastCDC in WebAssembly against native C',
  async run(context: BenchContext): Promise<readonly Row[]> {
    const tableBytes = noise('chunker table', 1024);
    const data = noise('chunker data', dataBytes);
    const files = [context.file('chunker.table', tableBytes), context.file('chunker.data', data)];
    const { minBytes, averageBytes, maxBytes } = defaultChunkerParameters;
    const { strict, loose } = cutMasks(defaultChunkerParameters);
    const table = Uint32Array.from({ length: 256 }, (_, index) => tableBytes.readUInt32LE(4 * index));
    const chunker = new Chunker(table);
    let checks: readonly string[] = [];
    const row = await context.compare({
      name: 'chunker',
      peer: 'C, -O3 -march=native, same algorithm and cuts',
      unit: 'bytes',
      per: 'second',
      target: 0.55,
      rounds: 5,
      runOurs: async () => {
        const { sample, check } = cutAll(chunker, data);
        checks = [check];
        return sample;
      },
      runPeer: async () => {
        const parameters = [minBytes, averageBytes, maxBytes, strict, loose];
        const answer = await context.runPeer('chunker', [...files, ...parameters]);
        if (answer.check !== checks[0]) throw new Error('the C chunker cuts elsewhere: it is no peer');
        return answer;
      },
    });
    return [row];
  },
};

function cutAll(chunker: Chunker, data: Uint8Array): { sample: Sample; check: string } {
  const { window } = chunker;
  const lengths: number[] = [];
  let seconds = 0;
  let cpuMicroseconds = 0;
  let held = 0;
  for (let taken = 0; taken < data.length || held > 0; ) {
    const more = Math.min(data.length - taken, window.length - held);
    window.set(data.subarray(taken, taken + more), held);
    taken += more;
    held += more;

    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    const ends = chunker.cut(held, taken === data.length);
    seconds += (performance.now() - startedMs) / 1000;
    const used = process.cpuUsage(cpu);
    cpuMicroseconds += used.user + used.system;

    for (const [index, end] of ends.entries()) lengths.push(end - (ends[index - 1] ?? 0));
    const start = ends.at(-1) ?? 0;
    window.copyWithin(0, start, held);
    held -= start;
  }
  return {
    sample: { seconds, cpuSeconds: cpuMicroseconds / 1e6, units: data.length },
    check: checkOf(lengths),
  };
}

/** FNV-1a as the C peers compute it, over 32-bit numbers. */
export function checkOf(numbers: Iterable<number>): string {
  let check = 0xcbf29ce484222325n;
  for (const number of numbers) check = BigInt.asUintN(64, (check ^ BigInt(number)) * 0x100000001b3n);
  return check.toString(16);
}
