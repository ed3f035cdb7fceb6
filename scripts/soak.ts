// npm run soak: two boxes on this machine; in each round one of them is killed (SIGKILL) at a random moment of a put
// and started again; then every file that was acknowledged, in this round or an earlier one, is there byte for byte.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { SeededEntropy } from '../src/testing/seeded-entropy.ts';
import { parseJsonLines } from './lan/box-process.ts';
import { LocalPool } from './lan/local-pool.ts';
import { exitOnSignals } from './lan/network.ts';

const boxNames = ['alder', 'birch'];
const filesPerRound = 200;

const usage = `Usage: npm run soak [-- --rounds N] [--seed N] [--keep]

  --rounds N  how often a box is killed (default 100)
  --seed N    the same files, boxes and moments again (default: drawn, and printed)
  --keep      keep the boxes' folders`;

interface RoundResult {
  readonly remark: string;
  /** Whether the put was still under way when the box was killed. */
  readonly underWay: boolean;
  /** Acknowledged files that are missing or different. */
  readonly lost: readonly string[];
}

class Soak {
  readonly #folder: string;
  readonly #pool: LocalPool;
  readonly #entropy: SeededEntropy;
  /** Paths that were acknowledged, by round. */
  readonly #acknowledged = new Map<number, readonly string[]>();
  /** How long an undisturbed put takes; the moments are drawn from that. */
  #putMs = 0;

  constructor(folder: string, pool: LocalPool, entropy: SeededEntropy) {
    this.#folder = folder;
    this.#pool = pool;
    this.#entropy = entropy;
  }

  /** Puts once without a kill, to learn how long that takes. */
  async rehearse(): Promise<number> {
    const { seconds } = await this.#pool.aether.run(['put', this.#makeTree(0), '/', '--json']);
    this.#putMs = Math.round(1000 * seconds);
    return seconds;
  }

  /** `round` counts from 1. */
  async round(round: number): Promise<RoundResult> {
    const name = boxNames[round % boxNames.length]!;
    const tree = this.#makeTree(round);
    const killAfterMs = this.#entropy.below(0.9 * this.#putMs);
    // Mostly back at once, as a supervisor would have it; sometimes so late that the put has to do without.
    const awayMs = this.#entropy.below(this.#entropy.chance(0.7) ? 200 : 5000);

    const put = this.#pool.aether.start(['put', tree, '/', '--json'], join(this.#folder, 'put.log'));
    const acknowledged: string[] = [];
    put.onLine((line) => acknowledged.push(...acknowledgedFiles(line, this.#trees)));
    await sleep(killAfterMs);
    const underWay = put.running;
    await this.#pool.box(name).kill();
    // Otherwise the desktop sends again what the box may have forgotten.
    const desktopToo = this.#entropy.chance(0.3);
    if (desktopToo) put.kill('SIGKILL');
    await sleep(awayMs);
    await this.#pool.restart(name);
    const exitCode = await put.exited;

    this.#acknowledged.set(round, acknowledged);
    const lost = await this.#verify(round, name);
    const who = desktopToo ? `${name} and the desktop` : name;
    const moment = underWay ? `${killAfterMs} ms into the put` : 'after the put';
    const share = `${acknowledged.length} of ${filesPerRound} files acknowledged`;
    return {
      lost,
      underWay,
      remark: `${who} killed ${moment}, away ${awayMs} ms; ${share}, exit code ${exitCode}`,
    };
  }

  /** Every round's files once more, read through each of the boxes. */
  async verifyAll(): Promise<readonly string[]> {
    const lost: string[] = [];
    for (const round of this.#acknowledged.keys()) {
      lost.push(...(await this.#verify(round, boxNames[(round + 1) % boxNames.length]!)));
    }
    return lost;
  }

  get acknowledgedCount(): number {
    return [...this.#acknowledged.values()].reduce((sum, paths) => sum + paths.length, 0);
  }

  /** The acknowledged files of a round that `aether get`, asking box `name`, does not bring back as they were. */
  async #verify(round: number, name: string): Promise<readonly string[]> {
    const acknowledged = this.#acknowledged.get(round) ?? [];
    if (acknowledged.length === 0) return [];
    const back = join(this.#folder, 'back');
    rmSync(back, { recursive: true, force: true });
    mkdirSync(back);
    await this.#pool.aether.run(['get', `/round-${round}`, back, '--box', name]);
    return acknowledged.filter((path) => !isSame(join(this.#trees, path), join(back, path)));
  }

  get #trees(): string {
    return join(this.#folder, 'trees');
  }

  /** Small files, chunked ones, and a few of many chunks; half of the bytes compress. About 20 MB. */
  #makeTree(round: number): string {
    const tree = join(this.#trees, `round-${round}`);
    for (let index = 0; index < filesPerRound; index++) {
      const folder = join(tree, `folder ${index % 7}`);
      mkdirSync(folder, { recursive: true });
      const kind = this.#entropy.below(10);
      const size = this.#entropy.below(kind < 5 ? 6000 : kind < 9 ? 200_000 : 700_000);
      const bytes = this.#entropy.bytes(size);
      if (this.#entropy.chance(0.5)) bytes.fill(0x20, size / 2);
      writeFileSync(join(folder, `file ${index}`), bytes);
    }
    return tree;
  }
}

/** The file, relative to the trees' folder, that a line of `aether put --json` says is stored for good. */
function acknowledgedFiles(line: string, trees: string): readonly string[] {
  const path = parseJsonLines(line)[0]?.acknowledged;
  return typeof path === 'string' && statSync(path).isFile() ? [relative(trees, path)] : [];
}

function isSame(original: string, copy: string): boolean {
  try {
    return readFileSync(original).equals(readFileSync(copy));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100' },
      seed: { type: 'string' },
      keep: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const rounds = Number(values.rounds);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
    console.error(usage);
    return 2;
  }
  console.log(`seed ${seed}: --seed ${seed} --rounds ${rounds} draws the same files and moments again`);
  const folder = mkdtempSync(join(tmpdir(), 'aether-soak-'));
  let failed = false;
  process.once('exit', () => {
    if (values.keep === true || failed) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  });
  exitOnSignals();

  const pool = await LocalPool.start(folder, boxNames);
  const soak = new Soak(folder, pool, new SeededEntropy(seed));
  console.log(`an undisturbed put of ${filesPerRound} files takes ${(await soak.rehearse()).toFixed(1)} s`);
  let hits = 0;
  for (let round = 1; round <= rounds && !failed; round++) {
    const { remark, underWay, lost } = await soak.round(round);
    if (underWay) hits++;
    failed = report(`round ${round} of ${rounds}: ${remark}`, lost);
  }
  if (!failed) failed = report('all rounds once more, from the other box', await soak.verifyAll());
  if (!failed) await pool.stop();
  console.log(
    `${hits} kills met a put under way; ${soak.acknowledgedCount} files acknowledged, ${failed ? 'some lost' : 'none lost'}`,
  );
  return failed ? 1 : 0;
}

/** Prints one line, and the files that are lost; true when there are any. */
function report(line: string, lost: readonly string[]): boolean {
  console.log(`${lost.length === 0 ? styleText('green', '✔') : styleText('red', '✘')} ${line}`);
  for (const path of lost.slice(0, 20)) console.log(`  lost or different: ${path}`);
  return lost.length > 0;
}

process.exitCode = await main();
