import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exitOnSignals } from '../scripts/lan/network.ts';
import { chunkerBenchmark } from './chunker.ts';
import { BenchContext, type Benchmark, describeMachine, type Row, Unavailable } from './harness.ts';
import { memoryBenchmark } from './memory.ts';
import { putBenchmark } from './put.ts';
import { sealBenchmark } from './seal.ts';
import { storeBenchmark } from './store.ts';
import { formatTable, meetsTarget } from './table.ts';
import { transferBenchmark } from './transfer.ts';

const benchmarks: readonly Benchmark[] = [
  chunkerBenchmark,
  sealBenchmark,
  storeBenchmark,
  transferBenchmark,
  putBenchmark,
  memoryBenchmark,
];

const usage = `Usage: npm run bench [-- [NAME…] [--json FILE] [--full]]

Measures AetherStore beside its peers on this machine, in turns, and prints one table.

${benchmarks.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}

  --json FILE  also write the figures as JSON
  --full       also what takes many minutes and 40 GB of disk
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'string' }, full: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${usage}`);
    return 2;
  }
  const chosen = benchmarks.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const context = new BenchContext({ full: values.full === true, progress });
  const rows: Row[] = [];
  for (const benchmark of chosen) rows.push(...(await runOne(benchmark, context)));
  progress('');
  console.log(`${describeMachine()}\n\n${formatTable(rows)}`);
  console.log(
    '\nRatios above 1: ours is better. Each is the median of the ratios of the pairs, which ran in turns.',
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report(rows), null, 2)}\n`);
  const missed = rows.filter((row) => meetsTarget(row) === false);
  if (missed.length > 0) console.log(`Missed: ${missed.map(({ name }) => name).join(', ')}.`);
  return 0;
}

async function runOne(benchmark: Benchmark, context: BenchContext): Promise<readonly Row[]> {
  try {
    return await benchmark.run(context);
  } catch (error) {
    if (error instanceof Unavailable)
      return [{ kind: 'skipped', name: benchmark.name, reason: error.message }];
    throw error;
  }
}

function report(rows: readonly Row[]) {
  return { machine: describeMachine(), rows: rows.map((row) => ({ ...row, met: meetsTarget(row) })) };
}

/** One line on a terminal that the next one replaces. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
}

exitOnSignals();
process.exitCode = await main();
