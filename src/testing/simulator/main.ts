import { parseArgs } from 'node:util';
import { type SimulationResult, simulate } from './simulation.ts';

const usage = `usage: npm run sim -- [options]

Runs production boxes and a desktop over a simulated network, clock and disks that fail as a seed says.

  --seed N      the first seed (default: a random one); the same seed gives the same run
  --runs N      how many seeds, one after the other (default 1)
  --boxes N     boxes in the pool (default 3)
  --minutes M   virtual minutes of faults (default 10)
  --verbose     print what happens
  --help        show this`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    runs: { type: 'string', default: '1' },
    boxes: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '10' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) return console.log(usage);
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : number('seed', 0, values.seed);
  const runs = number('runs', 1, values.runs);
  const boxes = number('boxes', 1, values.boxes);
  const minutes = number('minutes', 0, values.minutes);
  for (let run = 0; run < runs; run++) {
    console.log(`seed ${seed + run}`);
    const print = values.verbose ? { print: (line: string) => console.log(line) } : {};
    const result = await simulate({ seed: seed + run, boxes, minutes, ...print });
    report(result);
    if (result.violations.length > 0) {
      console.log(
        `\nreplay: npm run sim -- --seed ${result.seed} --boxes ${boxes} --minutes ${minutes} --verbose`,
      );
      process.exitCode = 1;
      return;
    }
  }
}

function report(result: SimulationResult): void {
  const { counts, written, acknowledged, readBack, verified, virtualMinutes, digest } = result;
  const events = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  if (result.violations.length > 0) {
    console.log('\nthe last events:');
    for (const line of result.recent) console.log(`  ${line}`);
    console.log('\nbroken:');
    for (const violation of result.violations) console.log(`  ${violation}`);
  }
  console.log(`  ${events}`);
  console.log(
    `  ${written} files written, ${acknowledged} acknowledged, ${readBack} read meanwhile, ${verified} verified; ` +
      `${virtualMinutes.toFixed(1)} virtual minutes; digest ${digest}`,
  );
}

function number(name: string, least: number, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} takes a whole number from ${least} on, not ${text}`);
  process.exit(2);
}

await main();
