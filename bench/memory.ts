import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../scripts/build.ts';
import { repositoryRoot } from '../scripts/lan/box-process.ts';
import { LocalPool } from '../scripts/lan/local-pool.ts';
import { type BenchContext, type Benchmark, noise, type Row, Unavailable } from './harness.ts';

const idleBytesMax = 120_000_000;
const loadedBytesMax = 300_000_000;
const settleMs = 10_000;
const loads = [1, 10].map((gigabytes) => ({ gigabytes, needsFull: gigabytes > 1 }));
const fileBytes = 25_000_000;

/**
 * What two claimed boxes hold of the machine's memory (resident set, pages of mapped files included): the bundled
 * program, as the image carries it. From source it is about 50 MB more, for the compiler that strips the types.
 */
export const memoryBenchmark: Benchmark = {
  name: 'memory',
  about: 'of an idle box, and its peak while 1 GB is put; with --full also while 10 GB are',
  async run(context: BenchContext): Promise<readonly Row[]> {
    if (process.platform !== 'linux') throw new Unavailable('/proc tells of memory, and only Linux has it');
    const folder = join(context.folder, 'memory');
    // Beside the packages with native parts, which a bundle does not hold.
    const bundleFolder = join(repositoryRoot, 'dist', 'bench');
    await bundle(bundleFolder);
    const program = join(bundleFolder, 'box.mjs');
    const pool = await LocalPool.start(folder, ['alder', 'birch'], { program });
    const pids = ['alder', 'birch'].map((name) => pool.box(name).program.pid);
    context.progress('memory: waiting until the boxes are idle');
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const idle = Math.max(...pids.map((pid) => memoryOf(pid, 'VmRSS')));
    const rows: Row[] = [{ kind: 'bound', name: 'memory, idle box', bytes: idle, bytesMax: idleBytesMax }];
    for (const load of loads) rows.push(await peakRow(context, pool, folder, pids, load));
    await pool.stop();
    rmSync(folder, { recursive: true });
    rmSync(bundleFolder, { recursive: true });
    return rows;
  },
};

async function peakRow(
  context: BenchContext,
  pool: LocalPool,
  folder: string,
  pids: readonly number[],
  { gigabytes, needsFull }: { readonly gigabytes: number; readonly needsFull: boolean },
): Promise<Row> {
  const name = `memory, peak while ${gigabytes} GB are put`;
  const diskGigabytes = 3.5 * gigabytes;
  if (needsFull && !context.full) {
    return { kind: 'skipped', name, reason: `takes minutes and ${diskGigabytes} GB of disk: --full` };
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < diskGigabytes * 1e9) {
    return { kind: 'skipped', name, reason: `needs ${diskGigabytes} GB of free disk` };
  }
  const tree = join(folder, `tree-${gigabytes}`);
  mkdirSync(tree);
  for (let index = 0; index * fileBytes < gigabytes * 1e9; index++) {
    context.progress(`memory: making ${Math.round((index * fileBytes) / 1e9)} of ${gigabytes} GB`);
    writeFileSync(join(tree, `${index}`), noise(`memory ${gigabytes} ${index}`, fileBytes));
  }
  context.progress(`memory: putting ${gigabytes} GB`);
  // 5: the peak counts from now on (proc(5), clear_refs).
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
  await pool.aether.run(['put', tree, '/', '--json']);
  const bytes = Math.max(...pids.map((pid) => memoryOf(pid, 'VmHWM')));
  rmSync(tree, { recursive: true });
  return { kind: 'bound', name, bytes, bytesMax: loadedBytesMax };
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  if (kibibytes === undefined) throw new Error(`/proc says no ${field}`);
  return Number(kibibytes) * 1024;
}
