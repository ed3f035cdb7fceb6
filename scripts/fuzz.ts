// npm run fuzz: what a stranger on the LAN can send, by the million, to each part that reads it. A finding is a throw,
// a broken invariant, a turn of the event loop over 50 ms, a packet that never ends, or memory that grows.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { describeMachine } from '../bench/harness.ts';
import type { Bytes } from '../src/base/bytes.ts';
import { formatCorpus } from '../src/testing/fuzz/corpus.ts';
import { fuzzTargets } from '../src/testing/fuzz/targets.ts';
import { fuzzWatched, heapGrowth, type WatchedRun } from '../src/testing/fuzz/watched-fuzz.ts';
import { exitOnSignals } from './lan/network.ts';

const hangMs = 10_000;
/** Over a million packets less than a byte for each eighth of them: nothing that they leave behind is kept. */
const heapGrowthBytesMax = 8 * 1024 * 1024;
const module = new URL('../src/testing/fuzz/targets.ts', import.meta.url).href;

const usage = `Usage: npm run fuzz [-- [--target NAME]… [--count N] [--seed N] [--replay FILE]]

Sends packets of a corpus, changed in every way, to what reads them.

${fuzzTargets.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join('\n')}

  --target NAME  only that one, or those (default: all)
  --count N      packets for each (default 100000)
  --seed N       the same packets again (default: drawn, and printed)
  --replay FILE  the packets of a file that a finding left, to the target it names`;

interface Row {
  readonly target: string;
  readonly run: WatchedRun;
  readonly problems: readonly string[];
}

class Fuzzing {
  readonly #seed: number;
  #folder: string | undefined;

  constructor(seed: number) {
    this.#seed = seed;
  }

  async fuzz(target: string, count: number): Promise<Row> {
    const onProgress = (packets: number) => progress(`${target}: ${packets} of ${count}`);
    return this.#judge(
      target,
      await fuzzWatched({ module, target, seed: this.#seed, count, hangMs, onProgress }),
    );
  }

  async replay(target: string, text: string): Promise<Row> {
    return this.#judge(
      target,
      await fuzzWatched({ module, target, seed: 0, count: 0, replay: text, hangMs }),
    );
  }

  #judge(target: string, run: WatchedRun): Row {
    const problems: string[] = [];
    for (const { kind, index, what, packets } of run.report?.findings ?? [])
      problems.push(this.#keep(target, `${kind} at packet ${index}: ${what}`, packets));
    if (run.hung !== undefined)
      problems.push(this.#keep(target, `hung at packet ${run.hung.index}`, [run.hung.packet]));
    const growth = heapGrowth(run.heap);
    if (growth > heapGrowthBytesMax) problems.push(`heap grew by ${mebibytes(growth)} MiB`);
    return { target, run, problems };
  }

  /** Writes the packets that led to a finding where a person finds them. */
  #keep(target: string, what: string, packets: readonly Bytes[]): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'aether-fuzz-'));
    const path = join(this.#folder, `${target}-${what.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)}.hex`);
    const entries = packets.map((bytes, index) => ({ name: `packet-${index}`, bytes }));
    writeFileSync(path, formatCorpus([`target ${target}`, `seed ${this.#seed}`, what], entries));
    return `${what}\n    npm run fuzz -- --replay ${path}`;
  }
}

function report({ target, run, problems }: Row): void {
  const mark = problems.length === 0 ? styleText('green', '✔') : styleText('red', '✘');
  if (run.report !== undefined) {
    const { packets, slowestMs, cpuSeconds, figures } = run.report;
    const rate = Math.round(packets / cpuSeconds).toLocaleString('en');
    const heap = [run.heap[1], run.heap.at(-1)].map((sample) => mebibytes(sample?.bytes ?? 0)).join(' → ');
    console.log(
      `${mark} ${target.padEnd(14)} ${packets} packets, ${problems.length} findings, slowest turn ${slowestMs.toFixed(1)} ms, ` +
        `heap ${heap} MiB, ${rate} packets a CPU-second`,
    );
    console.log(
      `    ${Object.entries(figures)
        .map(([name, figure]) => `${name} ${figure}`)
        .join(', ')}`,
    );
  } else console.log(`${mark} ${target}`);
  for (const problem of problems) console.log(`  ${problem}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      count: { type: 'string', default: '100000' },
      seed: { type: 'string' },
      replay: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const text = values.replay === undefined ? undefined : readFileSync(values.replay, 'utf8');
  const named = /^# target (\S+)$/m.exec(text ?? '')?.[1];
  const chosen = values.target ?? (named === undefined ? fuzzTargets.map(({ name }) => name) : [named]);
  const count = Number(values.count);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  const isKnown = chosen.every((name) => fuzzTargets.some((target) => target.name === name));
  if (!isKnown || !Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
    console.error(usage);
    return 2;
  }
  if (text === undefined)
    console.log(`seed ${seed}: --seed ${seed} --count ${count} sends the same packets again`);
  console.log(describeMachine());
  const fuzzing = new Fuzzing(seed);
  let problems = 0;
  for (const target of chosen) {
    const row = await (text === undefined ? fuzzing.fuzz(target, count) : fuzzing.replay(target, text));
    progress('');
    report(row);
    problems += row.problems.length;
  }
  return problems === 0 ? 0 : 1;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** One line on a terminal that the next one replaces. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

exitOnSignals();
process.exitCode = await main();
