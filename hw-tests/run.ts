// npm run hw-test -- --target qemu: tests against a whole box, from outside. Exit code 0: all that could run passed.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exitOnSignals } from '../scripts/lan/network.ts';
import { faults } from './faults/faults.ts';
import { runBeside } from './jobs.ts';
import { leds } from './leds/leds.ts';
import { network } from './network/network.ts';
import { pool } from './pool/pool.ts';
import { power } from './power/power.ts';
import type { Line } from './report.ts';
import { reportAtExit } from './report-at-exit.ts';
import { runAlone } from './run-alone.ts';
import { smoke } from './smoke/smoke.ts';
import { storage } from './storage/storage.ts';
import { choose, namesOf, type Suite } from './suite.ts';
import { describeImage } from './targets/image-age.ts';
import { imagesOf, isEmulated, whyNoTarget } from './targets/open-target.ts';
import { TestRun } from './test-run.ts';
import { handedOut, inOrder } from './test-source.ts';
import { update } from './update/update.ts';

const suites: readonly Suite[] = [smoke, network, storage, power, leds, pool, update, faults];

const usage = `usage: npm run hw-test -- --target TARGET [options]

  --target TARGET   qemu (a board that only QEMU has, fast), raspi3b (a Pi 3, as far as QEMU has one), or the
                    FILE.json that says how a real board is wired (hw-tests/README.md)
  --suite NAME      ${suites.map(({ name }) => name).join(', ')};
                    may be given again (default: all)
  --only TEXT       only tests whose names contain it
  --short           without the longest tests
  --again           a test that fails is tried once more, and the report says so: for machines that are busy
  --jobs N          so many emulated boxes beside each other, each tested by whichever test is next (default: as many as
                    this machine has processors, four at most; one raspi3b)
  --processors N    of each emulated box (default: 1 where there are several, else 2)
  --image FOLDER    with the image (default: var/image/qemu-virt, var/image/rpi)

exit code: 0 all that could run passed, 1 something failed or was not run, 2 nothing was chosen
`;

const testTimeoutMs = 30 * 60_000;
/** A box takes half a gigabyte, and the longest test as long as all others take beside so many. */
const usualJobsMax = 4;

interface Values {
  readonly target?: string | undefined;
  readonly suite?: readonly string[] | undefined;
  readonly only?: string | undefined;
  readonly image?: string | undefined;
  readonly short?: boolean;
  readonly again?: boolean;
  readonly jobs?: string | undefined;
  readonly processors?: string | undefined;
  /** This process runs what another hands out. */
  readonly job?: boolean;
}

async function main(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      target: { type: 'string' },
      suite: { type: 'string', multiple: true },
      only: { type: 'string' },
      image: { type: 'string' },
      short: { type: 'boolean' },
      again: { type: 'boolean' },
      jobs: { type: 'string' },
      processors: { type: 'string' },
      job: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return void process.stdout.write(usage);
  if (values.target === undefined) return refuse(usage);
  const mistake = mistakeIn(values.target, values);
  if (mistake !== undefined) return refuse(`${mistake}\n`);
  const chosen = choose(suites, values.suite, values.only ?? '');
  if (chosen.length === 0) return refuse(`Nothing was tested: no test has "${values.only}" in its name.\n`);
  exitOnSignals();
  const missing = whyNoTarget(values.target);
  const images = missing === undefined ? await imagesFor(values.target, values.image) : undefined;
  const jobs = missing === undefined && values.job !== true ? jobsOf(values, chosen) : 1;
  if (jobs > 1) return runJobs(chosen, { ...values, image: images }, jobs);
  const { target, processors = '2', short = false, again = false } = values;
  const options = { target, short, again, images, processors: Number(processors), timeoutMs: testTimeoutMs };
  if (values.job === true) await new TestRun(handedOut(inOrder(chosen)), options).run(missing);
  else await runAlone(chosen, options, missing);
}

/** The folder with the image of an emulated target; undefined: a board has its own. */
async function imagesFor(target: string, chosen: string | undefined): Promise<string | undefined> {
  if (!isEmulated(target)) return undefined;
  const say = (line: string) => console.log(line);
  const images = chosen === undefined ? await imagesOf(target, say) : resolve(chosen);
  say(describeImage(images));
  return images;
}

function mistakeIn(target: string, { suite, jobs, processors }: Values): string | undefined {
  const unknown = suite?.filter((name) => !suites.some((each) => each.name === name)) ?? [];
  if (unknown.length > 0)
    return `There is no suite ${unknown.join(', ')}, but ${suites.map(({ name }) => name).join(', ')}.`;
  for (const [name, count] of Object.entries({ jobs, processors })) {
    if (count !== undefined && !/^[1-9]\d?$/.test(count)) return `--${name} ${count}: a number was expected.`;
  }
  if (Number(jobs ?? 1) > 1 && !isEmulated(target))
    return `--jobs ${jobs}: there is one ${target}, and its tests run one after another.`;
  return undefined;
}

function refuse(why: string): void {
  process.stderr.write(why);
  process.exitCode = 2;
}

/** How many boxes beside each other. */
function jobsOf({ target = '', jobs }: Values, chosen: readonly Suite[]): number {
  const usual = target === 'qemu' ? Math.min(availableParallelism(), usualJobsMax) : 1;
  return Math.min(Number(jobs ?? usual), namesOf(chosen).length);
}

/** In several processes, each with a box of its own. */
async function runJobs(chosen: readonly Suite[], values: Values, jobs: number): Promise<void> {
  const { target = '', image = '', processors = '1', short, again, only } = values;
  const words = [
    ...['--job', '--target', target, '--image', image],
    // An emulated processor that holds a lock while another box has the real one keeps its own box waiting.
    ...['--processors', processors],
    ...(short === true ? ['--short'] : []),
    ...(again === true ? ['--again'] : []),
    ...(only === undefined ? [] : ['--only', only]),
    ...chosen.flatMap(({ name }) => ['--suite', name]),
  ];
  const say = (line: string) => console.log(line);
  const run = reportAtExit(chosen);
  const tell = (line: Line) => void run.lines.push(line);
  run.notRun = (await runBeside(chosen, { jobs, program: import.meta.filename, words, say, tell })) ?? '';
}

await main(process.argv.slice(2));
