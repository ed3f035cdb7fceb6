import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalPool } from '../scripts/lan/local-pool.ts';
import { type BenchContext, type Benchmark, noise, type Row, Unavailable } from './harness.ts';

const idleBytesMax = 120_000_000;
const loadedBytesMax = 300_000_000;
const settleMs = 10_000;
const putBytes = 10_000_000_000;
const fileBytes = 25_000_000;

/** What two claimed boxes hold of the machine's memory (resident set, pages of mapped files included). */
export const memoryBenchmark: Benchmark = {
  name: 'memory',
  about: 'of an idle box; with --full also its peak while 10 GB are put',
  async run(context: BenchContext): Promise<readonly Row[]> {
    if (process.platform !== 'linux') throw new Unavailable('/proc tells of memory, and only Linux has it');
    const folder = join(context.folder, 'memory');
    const pool = await LocalPool.start(folder, ['alder', 'birch']);
    const pids = ['alder', 'birch'].map((name) => pool.box(name).program.pid);
    context.progress('memory: waiting until the boxes are idle');
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const idle = Math.max(...pids.map((pid) => memoryOf(pid, 'VmRSS')));
    const rows: Row[] = [{ kind: 'bound', name: 'memory, idle box', bytes: idle, bytesMax: idleBytesMax }];
    rows.push(await peakRow(context, pool, folder, pids));
    await pool.stop();
    rmSync(folder, { recursive: true });
    return rows;
  },
};

async function peakRow(
  context: BenchContext,
  pool: LocalPool,
  folder: string,
  pids: readonly number[],
): Promise<Row> {
  const name = 'memory, peak while 10 GB are put';
  if (!context.full) return { kind: 'skipped', name, reason: 'takes minutes and 35 GB of disk: --full' };
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < 3.5 * putBytes) return { kind: 'skipped', name, reason: 'needs 35 GB of free disk' };
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  for (let index = 0; index * fileBytes < putBytes; index++) {
    context.progress(`memory: making ${Math.round((index * fileBytes) / 1e9)} of 10 GB`);
    writeFileSync(join(tree, `${index}`), noise(`memory ${index}`, fileBytes));
  }
  context.progress('memory: putting 10 GB');
  // 5: the peak counts from now on (proc(5), clear_refs).
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
  await pool.aether.run(['put', tree, '/', '--json']);
  const bytes = Math.max(...pids.map((pid) => memoryOf(pid, 'VmHWM')));
  return { kind: 'bound', name, bytes, bytesMax: loadedBytesMax };
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  )?.[1];
  if (kibibytes === undefined) throw new Error(`/proc says no ${field}`);
  return Number(kibibytes) * 1024;
}
