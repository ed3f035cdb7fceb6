// npm run hw-test -- --target qemu: tests against a whole box, from outside. Exit code 0: all that could run passed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { root } from '../firmware/paths.ts';
import { exitOnSignals } from '../scripts/lan/network.ts';
import { temporaryFolder } from '../scripts/lan/temporary-folder.ts';
import { faults } from './faults/faults.ts';
import { runBeside, shareOut } from './jobs.ts';
import { leds } from './leds/leds.ts';
import { network } from './network/network.ts';
import { pool } from './pool/pool.ts';
import { power } from './power/power.ts';
import { type Line, tableOf } from './report.ts';
import { Scene } from './scene.ts';
import { smoke } from './smoke/smoke.ts';
import { storage } from './storage/storage.ts';
import type { HardwareTest, Suite } from './suite.ts';
import { type Target, whyNot } from './target.ts';
import { imagesOf, openTarget, whyNoTarget } from './targets/open-target.ts';
import { update } from './update/update.ts';

const suites: readonly Suite[] = [smoke, network, storage, power, leds, pool, update, faults];

const usage = `usage: npm run hw-test -- --target qemu | raspi3b | FILE.json [options]

  --target   qemu (a board that only QEMU has, fast), raspi3b (a Pi 3, as far as QEMU has one), or the file that says how a real board is wired (hw-tests/README.md)
  --suite    ${suites.map(({ name }) => name).join(', ')}; may be given again (default: all)
  --only     words that the name of a test contains
  --jobs     so many runs beside each other, each with a box of its own and some of the suites; qemu only (default: 1)
  --processors   of each emulated box (default: 2; with --jobs 1)
  --again    a test that fails is tried once more, and the report says so: for machines that are busy
  --image    folder with the image (default: var/image/qemu-virt, var/image/rpi)
`;

interface Values {
  readonly jobs?: string;
  readonly image?: string | undefined;
  readonly processors?: string | undefined;
  readonly again?: boolean;
  readonly only?: string | undefined;
}

const testTimeoutMs = 30 * 60_000;
const lines: Line[] = [];

async function main(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      target: { type: 'string' },
      suite: { type: 'string', multiple: true },
      only: { type: 'string' },
      image: { type: 'string' },
      again: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
      processors: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const unknown = values.suite?.filter((name) => !suites.some((suite) => suite.name === name)) ?? [];
  if (values.help === true || values.target === undefined || unknown.length > 0) {
    process.stdout.write(usage);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  exitOnSignals();
  const chosen = suites.filter(({ name }) => values.suite?.includes(name) ?? true);
  const missing = whyNoTarget(values.target);
  if (Number(values.jobs) > 1 && missing === undefined) return runJobs(chosen, values.target, values);
  const folder = temporaryFolder('hw');
  let target: Target | undefined;
  let scene: Scene | undefined;
  before(async () => {
    if (missing !== undefined) return;
    target = await openTarget(values.target ?? '', {
      folder: join(folder, 'target'),
      images: values.image === undefined ? undefined : resolve(values.image),
      processors: Number(values.processors ?? 2),
      say: (line) => console.log(line),
    });
    scene = new Scene(target, join(folder, 'desktop'));
  });
  for (const suite of chosen) {
    for (const each of suite.tests.filter(({ name }) => name.includes(values.only ?? ''))) {
      test(`${suite.name}: ${each.name}`, async (context) => {
        const skip = (reason: string) => {
          lines.push({ suite: suite.name, name: each.name, seconds: 0, outcome: 'skipped', remark: reason });
          context.skip(reason);
        };
        if (missing !== undefined) return skip(missing);
        if (scene === undefined) throw new Error('there is no target');
        const reason = whyNot(scene.target.capabilities, each.needs);
        if (reason === undefined) context.diagnostic(await runTest(suite, each, scene, values.again));
        else skip(reason);
      });
    }
  }
  after(async () => {
    await target?.close();
  });
  process.once('exit', () => {
    if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(lines));
    console.log(tableOf(lines, process.uptime()));
  });
}

async function runTest(suite: Suite, test: HardwareTest, scene: Scene, again: boolean): Promise<string> {
  const startMs = performance.now();
  const note = (outcome: Line['outcome'], remark: string) => {
    const seconds = (performance.now() - startMs) / 1000;
    lines.push({ suite: suite.name, name: test.name, seconds, outcome, remark });
    return remark;
  };
  try {
    return note('passed', await tryOnce(suite, test, scene));
  } catch (error) {
    const first = remarkOf(error);
    if (again) {
      scene.tryAgain();
      const second = await tryOnce(suite, test, scene).catch(() => undefined);
      if (second !== undefined) return note('passed', `only at the second try, after: ${first} — ${second}`);
    }
    note('failed', first);
    throw error;
  }
}

async function tryOnce(
  suite: Suite,
  { name, run, changesNothing }: HardwareTest,
  scene: Scene,
): Promise<string> {
  try {
    const remark = await within(scene.patienceMs(testTimeoutMs), run(scene));
    if (changesNothing !== true) scene.disturbed();
    return remark;
  } catch (error) {
    scene.disturbed();
    console.log(`✖ ${remarkOf(error)}`);
    await keepEvidence(`${suite.name} ${name}`, scene);
    throw error;
  }
}

function remarkOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n').filter(Boolean).slice(0, 4).join(' ');
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, over).then(() => {
    throw new Error(`no end after ${timeoutMs / 60_000} min`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    late.catch(() => {});
    over.abort();
  }
}

/** What was on the serial line, and what the system has to say, for whoever looks why a test failed. */
async function keepEvidence(name: string, { target }: Scene): Promise<void> {
  const file = join(root, 'var/hw-tests', `${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 80)}.log`);
  mkdirSync(dirname(file), { recursive: true });
  const question = 'systemctl --no-pager --failed; journalctl --no-pager -b -n 150';
  const journal =
    target.capabilities['root shell'] === true
      ? await target.root.run(question, 20_000).catch((error: unknown) => String(error))
      : '';
  writeFileSync(file, `${target.console.transcript}\n\n${journal}\n`);
  console.log(`what was on the serial line: ${file}`);
}

/** Runs the suites in several processes, each with a box of its own, and reports all of it at the end. */
async function runJobs(chosen: readonly Suite[], target: string, values: Values): Promise<void> {
  const say = (line: string) => console.log(line);
  const images = values.image === undefined ? await imagesOf(target, say) : resolve(values.image);
  const words = [
    // An emulated processor that holds a lock while another box has the real one keeps its own box waiting.
    ...['--target', target, '--image', images, '--processors', values.processors ?? '1'],
    ...(values.again === true ? ['--again'] : []),
    ...(values.only === undefined ? [] : ['--only', values.only]),
  ];
  const folder = temporaryFolder('hw-jobs');
  const program = import.meta.filename;
  const shares = shareOut(chosen, Number(values.jobs));
  const lines = await runBeside(shares, { program, words, folder, say });
  console.log(tableOf(lines, process.uptime()));
  if (lines.length === 0 || lines.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
}

await main(process.argv.slice(2));
