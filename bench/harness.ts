import { createCipheriv, createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, runProgram } from '../scripts/lan/processes.ts';

/** One run of one side: how long it took, by the wall and by all processors together, for how much. */
export interface Sample {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Bytes, or requests. */
  readonly units: number;
}

/** Two ways to do the same work, measured in turns. */
export interface Comparison {
  readonly name: string;
  readonly peer: string;
  readonly unit: 'bytes' | 'requests';
  /** What the ratio is of: units per second, or units per second of processor time. */
  readonly per: 'second' | 'CPU-second';
  /** The ratio that is asked for; a benchmark without one only informs. */
  readonly target?: number;
  readonly rounds: number;
}

export interface Pair<Run> {
  readonly runOurs: () => Promise<Run>;
  readonly runPeer: () => Promise<Run>;
}

export type Row =
  | { readonly kind: 'comparison'; readonly name: string; readonly result: ComparisonResult }
  /** A figure with an upper bound instead of a peer. */
  | { readonly kind: 'bound'; readonly name: string; readonly bytes: number; readonly bytesMax: number }
  | { readonly kind: 'skipped'; readonly name: string; readonly reason: string };

export interface ComparisonResult {
  readonly peer: string;
  readonly unit: 'bytes' | 'requests';
  readonly per: 'second' | 'CPU-second';
  readonly target: number | undefined;
  /** Medians of each side's runs. */
  readonly ours: Sample;
  readonly theirs: Sample;
  /** Median of the pairs' ratios: what the machine did meanwhile hit both halves of a pair. */
  readonly ratio: number;
  readonly rounds: number;
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(context: BenchContext): Promise<readonly Row[]>;
}

/** Thrown by a benchmark whose peer is not on this machine; the reason is shown. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** What a benchmark works with; removed after the run. */
export class BenchContext {
  /** Also what takes minutes and tens of gigabytes. */
  readonly full: boolean;
  /** A folder on a real disk. */
  readonly folder: string;
  readonly #progress: (text: string) => void;
  readonly #compiled = new Map<string, Promise<string>>();

  constructor(options: { readonly full: boolean; readonly progress: (text: string) => void }) {
    this.full = options.full;
    this.folder = mkdtempSync(join(tmpdir(), 'aether-bench-'));
    this.#progress = options.progress;
    process.once('exit', () => rmSync(this.folder, { recursive: true, force: true }));
  }

  progress(text: string): void {
    this.#progress(text);
  }

  /** Writes a file for a peer to read and returns its path. */
  file(name: string, bytes: Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  /** Measures in turns (ours, peer, ours, peer …); a first pair warms up and is not counted. */
  async compare(comparison: Comparison & Pair<Sample>): Promise<Row> {
    const { ours, theirs } = await this.runPairs(comparison.name, comparison.rounds, comparison);
    return comparisonRow(comparison, ours, theirs);
  }

  /** As `compare`, for runs that give more than one sample. */
  async runPairs<Run>(
    name: string,
    rounds: number,
    pair: Pair<Run>,
  ): Promise<{ ours: Run[]; theirs: Run[] }> {
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let round = 0; round <= rounds; round++) {
      this.progress(`${name}: ${round === 0 ? 'warm-up' : `${round} of ${rounds}`}`);
      const own = await pair.runOurs();
      const other = await pair.runPeer();
      if (round === 0) continue;
      ours.push(own);
      theirs.push(other);
    }
    return { ours, theirs };
  }

  /** Compiles `bench/peers/NAME.c` for this processor, once, and runs it; its answer is its last line. */
  async runPeer(name: string, args: readonly (string | number)[], libraries: readonly string[] = []) {
    const compiled = this.#compiled.get(name) ?? this.#compile(name, libraries);
    this.#compiled.set(name, compiled);
    const { stdout } = await runProgram([await compiled, ...args.map(String)]);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Sample & { readonly check: string };
  }

  async #compile(name: string, libraries: readonly string[]): Promise<string> {
    const program = join(this.folder, name);
    const source = join(import.meta.dirname, 'peers', `${name}.c`);
    const flags = [
      '-O3',
      '-march=native',
      '-o',
      program,
      source,
      ...libraries.map((library) => `-l${library}`),
    ];
    try {
      await runProgram(['cc', ...flags]);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      const needs = libraries.map((library) => debianPackages[library] ?? library).join(', ');
      const what = `a C compiler${needs === '' ? '' : ` and ${needs}`}`;
      throw new Unavailable(`the peer ${name}.c does not compile: it needs ${what} (Debian: gcc, libc6-dev)`);
    }
    return program;
  }
}

const debianPackages: Readonly<Record<string, string>> = {
  crypto: 'libssl-dev',
  ssl: 'libssl-dev',
  zstd: 'libzstd-dev',
};

export function comparisonRow(
  comparison: Comparison,
  ours: readonly Sample[],
  theirs: readonly Sample[],
): Row {
  const { name, peer, unit, per, rounds } = comparison;
  const ratios = ours.map((sample, index) => rateOf(sample, per) / rateOf(theirs[index]!, per));
  const medians = { ours: medianSample(ours), theirs: medianSample(theirs), ratio: median(ratios) };
  return {
    kind: 'comparison',
    name,
    result: { peer, unit, per, target: comparison.target, rounds, ...medians },
  };
}

export function rateOf(sample: Sample, per: 'second' | 'CPU-second'): number {
  return sample.units / (per === 'second' ? sample.seconds : sample.cpuSeconds);
}

/** Each field's own median. */
function medianSample(samples: readonly Sample[]): Sample {
  return {
    seconds: median(samples.map((sample) => sample.seconds)),
    cpuSeconds: median(samples.map((sample) => sample.cpuSeconds)),
    units: median(samples.map((sample) => sample.units)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs `work` in this process and measures it with all the process's threads. */
export async function measure(units: number, work: () => unknown): Promise<Sample> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, units };
}

/** Runs a command to its end and measures it with all it waited for (bash's `time`, to the millisecond). */
export async function measureCommand(
  units: number,
  argv: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<Sample> {
  const script = 'TIMEFORMAT="time %R %U %S"; time "$@"';
  const { stderr } = await runProgram(['bash', '-c', script, 'bash', ...argv], {
    ...options,
    env: { LC_ALL: 'C', ...options.env },
  });
  const [, real, user, system] = /time ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? [];
  if (real === undefined) throw new Error(`no times in: ${stderr}`);
  return { seconds: Number(real), cpuSeconds: Number(user) + Number(system), units };
}

/** The same incompressible bytes for the same seed. */
export function noise(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** The machine in a line, for the table's head. */
export function describeMachine(): string {
  const model =
    process.platform === 'linux' ? /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8')) : null;
  return `${model?.[1] ?? process.arch}, ${availableParallelism()} cores, ${process.platform}, Node ${process.versions.node}`;
}
