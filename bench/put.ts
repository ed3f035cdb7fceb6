import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BoxProcess } from '../scripts/lan/box-process.ts';
import { countTree, differentContents } from '../scripts/lan/compare-trees.ts';
import { LocalPool } from '../scripts/lan/local-pool.ts';
import { cpuSecondsOf, runProgram } from '../scripts/lan/processes.ts';
import { makeRealTree } from '../scripts/lan/real-tree.ts';
import {
  type BenchContext,
  type Benchmark,
  type Comparison,
  comparisonRow,
  measureCommand,
  noise,
  type Row,
  type Sample,
  Unavailable,
} from './harness.ts';

const treeBytes = 1_000_000_000;
const rounds = 3;
const warmUpFiles = 1000;
const warmUpFileBytes = 60_000;
const boxNames = ['alder', 'birch'];

/**
 * A tree of 1 GB into two boxes on this machine, which keep it twice, against restic into one repository on the same
 * disk: both cut by content, compress, encrypt and sync. Boxes, pool and repository are new for each run, but the boxes
 * have stored something else before, since a box runs for months; `aether` and restic start cold.
 */
export const putBenchmark: Benchmark = {
  name: 'put',
  about: 'aether put of 1 GB into two boxes, and get, against restic backup and restore',
  async run(context: BenchContext): Promise<readonly Row[]> {
    if (!existsSync('/usr/bin/restic') && !existsSync('/usr/local/bin/restic')) {
      throw new Unavailable('restic is not installed (Debian: restic)');
    }
    context.progress('put: making the tree');
    const tree = join(context.folder, 'tree');
    await makeBigTree(tree);
    const { bytes } = countTree(tree);
    const warmUp = join(context.folder, 'warm-up');
    makeWarmUpTree(warmUp);
    const back = join(context.folder, 'back');
    const rows: Row[] = [];
    let pool: LocalPool | undefined;
    const put = {
      name: 'aether put, two copies',
      peer: 'restic backup, one copy',
      unit: 'bytes',
      rounds,
    } as const;
    const { ours, theirs } = await context.runPairs(put.name, rounds, {
      runOurs: async () => {
        await pool?.stop();
        pool = await newPool(context, warmUp);
        return measureWithBoxes(pool, bytes, ['put', tree, '/']);
      },
      runPeer: async () => {
        const all = await backUp(context, tree, bytes);
        return { all, desktop: all };
      },
    });
    const row = (pick: 'all' | 'desktop', comparison: Comparison) =>
      comparisonRow(
        comparison,
        ours.map((run) => run[pick]),
        theirs.map((run) => run[pick]),
      );
    rows.push(
      row('all', { ...put, per: 'second', target: 1 }),
      // What it costs the person's computer: on a LAN the boxes are others.
      row('desktop', { ...put, name: 'aether put, desktop alone', per: 'CPU-second' }),
    );
    rows.push(
      await context.compare({
        name: 'aether get',
        peer: 'restic restore',
        unit: 'bytes',
        per: 'second',
        rounds,
        runOurs: async () => {
          emptyFolder(back);
          const { all } = await measureWithBoxes(pool!, bytes, ['get', '/tree', back]);
          await checkSame(tree, join(back, 'tree'));
          return all;
        },
        runPeer: async () => {
          emptyFolder(back);
          const sample = await restic(context, bytes, ['restore', 'latest', '--target', back]);
          await checkSame(tree, join(back, tree));
          return sample;
        },
      }),
    );
    await pool?.stop();
    return rows;
  },
};

/** A third programs and text, the rest like photographs: files of 3 MB that nothing compresses. */
async function makeBigTree(tree: string): Promise<void> {
  await makeRealTree(tree);
  mkdirSync(join(tree, 'photographs'));
  const photographBytes = 3_000_000;
  const missing = treeBytes - countTree(tree).bytes;
  for (let index = 0; index * photographBytes < missing; index++) {
    const bytes = noise(`photograph ${index}`, photographBytes);
    writeFileSync(join(tree, 'photographs', `${index}.jpg`), bytes);
  }
}

/** Nothing of it is in the other tree. */
function makeWarmUpTree(folder: string): void {
  for (let index = 0; index < warmUpFiles; index++) {
    const subfolder = join(folder, String(index % 100));
    mkdirSync(subfolder, { recursive: true });
    writeFileSync(join(subfolder, `${index}.bin`), noise(`warm-up ${index}`, warmUpFileBytes));
  }
}

async function newPool(context: BenchContext, warmUp: string): Promise<LocalPool> {
  const folder = join(context.folder, 'pool');
  emptyFolder(folder);
  const pool = await LocalPool.start(folder, boxNames);
  await pool.aether.run(['put', warmUp]);
  return pool;
}

/** The command's own time, and the same with the processor time of the boxes. */
async function measureWithBoxes(
  pool: LocalPool,
  units: number,
  words: readonly string[],
): Promise<{ readonly desktop: Sample; readonly all: Sample }> {
  const boxes = boxNames.map((name) => pool.box(name));
  const used = () => boxes.reduce((sum, box) => sum + cpuOf(box), 0);
  const before = used();
  const desktop = await measureCommand(units, pool.aether.argv([...words, '--json']));
  return { desktop, all: { ...desktop, cpuSeconds: desktop.cpuSeconds + used() - before } };
}

function cpuOf(box: BoxProcess): number {
  return process.platform === 'linux' ? cpuSecondsOf(box.program.pid) : 0;
}

/** A new repository, whose making is not measured, and a backup into it. */
async function backUp(context: BenchContext, tree: string, units: number): Promise<Sample> {
  rmSync(join(context.folder, 'restic'), { recursive: true, force: true });
  rmSync(join(context.folder, 'restic-cache'), { recursive: true, force: true });
  await runProgram(['restic', 'init', '--quiet'], { env: resticEnvironment(context) });
  return restic(context, units, ['backup', tree]);
}

function restic(context: BenchContext, units: number, words: readonly string[]): Promise<Sample> {
  return measureCommand(units, ['restic', '--quiet', ...words], { env: resticEnvironment(context) });
}

function resticEnvironment(context: BenchContext): Readonly<Record<string, string>> {
  return {
    RESTIC_REPOSITORY: join(context.folder, 'restic'),
    RESTIC_CACHE_DIR: join(context.folder, 'restic-cache'),
    RESTIC_PASSWORD: 'a password of this benchmark',
  };
}

async function checkSame(left: string, right: string): Promise<void> {
  const differences = await differentContents(left, right);
  if (differences.length > 0) throw new Error(`what came back differs:\n${differences.join('\n')}`);
}

function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
