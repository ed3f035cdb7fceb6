import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../firmware/paths.ts';
import { temporaryFolder } from '../scripts/lan/temporary-folder.ts';
import { accountFor, hasFailed, type Line, tableOf } from './report.ts';
import { Scene } from './scene.ts';
import { type HardwareTest, namesOf, type Suite } from './suite.ts';
import { type Target, whyNot } from './target.ts';
import { openTarget } from './targets/open-target.ts';

export interface TestRunOptions {
  /** As `openTarget` has it, and what follows. */
  readonly target: string;
  readonly images: string | undefined;
  readonly processors: number;
  /** A test that fails is tried once more. */
  readonly again: boolean;
  /** The longest tests are left out. */
  readonly short: boolean;
  /** That one test may take on a box whose slowness is 1. */
  readonly timeoutMs: number;
  /** File for the lines of the report. */
  readonly report: string | undefined;
}

/** The chosen tests, one after another on one target, and what became of them. */
export class TestRun {
  readonly #chosen: readonly Suite[];
  readonly #options: TestRunOptions;
  readonly #lines: Line[] = [];
  /** Why there is no line of a test. */
  #notRun = 'the run ended before';

  constructor(chosen: readonly Suite[], options: TestRunOptions) {
    this.#chosen = chosen;
    this.#options = options;
  }

  /** Hands the tests to node's runner. `missing`: why the target cannot be had here; then each is skipped by name. */
  begin(missing: string | undefined): void {
    const folder = temporaryFolder('hw');
    let target: Target | undefined;
    let scene: Scene | undefined;
    before(async () => {
      if (missing !== undefined) return;
      target = await this.#open(join(folder, 'target'));
      scene = new Scene(target, join(folder, 'desktop'));
    });
    for (const suite of this.#chosen) {
      for (const each of suite.tests) {
        test(`${suite.name}: ${each.name}`, async (context) => {
          const reason = missing ?? this.#whyNot(each, scene!);
          if (reason === undefined) return context.diagnostic(await this.#runTest(suite, each, scene!));
          this.#note(suite, each, { seconds: 0, outcome: 'skipped', remark: reason });
          context.skip(reason);
        });
      }
    }
    after(async () => {
      await target?.close();
    });
    process.once('exit', (exitCode) => this.#end(exitCode));
  }

  #whyNot({ needs, longMinutes }: HardwareTest, { target }: Scene): string | undefined {
    if (this.#options.short && longMinutes !== undefined) return 'Left out by --short.';
    return whyNot(target.capabilities, needs);
  }

  async #open(folder: string): Promise<Target> {
    const { target, images, processors } = this.#options;
    try {
      return await openTarget(target, { folder, images, processors, say: (line) => console.log(line) });
    } catch (error) {
      this.#notRun = `there is no target: ${remarkOf(error)}`;
      throw error;
    }
  }

  #end(exitCode: number): void {
    const end = { exitCode, lines: this.#lines, notRun: this.#notRun };
    const lines = accountFor(namesOf(this.#chosen), end);
    if (hasFailed(lines)) process.exitCode ||= 1;
    const { report } = this.#options;
    if (report !== undefined) writeFileSync(report, JSON.stringify(lines));
    console.log(tableOf(lines, process.uptime()));
  }

  #note({ name: suite }: Suite, { name }: HardwareTest, what: Omit<Line, 'suite' | 'name'>): string {
    this.#lines.push({ suite, name, ...what });
    return what.remark;
  }

  async #runTest(suite: Suite, test: HardwareTest, scene: Scene): Promise<string> {
    const startMs = performance.now();
    const note = (outcome: Line['outcome'], remark: string) =>
      this.#note(suite, test, { seconds: (performance.now() - startMs) / 1000, outcome, remark });
    const once = () => this.#tryOnce(suite, test, scene);
    try {
      return note('passed', await once());
    } catch (error) {
      const first = remarkOf(error);
      if (this.#options.again) {
        scene.tryAgain();
        const second = await once().catch(() => undefined);
        if (second !== undefined)
          return note('passed', `only at the second try, after: ${first} — ${second}`);
      }
      note('failed', first);
      throw error;
    }
  }

  async #tryOnce(suite: Suite, test: HardwareTest, scene: Scene): Promise<string> {
    const timeoutMs = scene.patienceMs(this.#options.timeoutMs);
    try {
      const remark = await within(timeoutMs, test.run(scene));
      if (test.changesNothing !== true) scene.disturbed();
      return remark;
    } catch (error) {
      scene.disturbed();
      console.log(`✖ ${remarkOf(error)}`);
      await keepEvidence(`${suite.name} ${test.name}`, scene);
      if (error instanceof NoEnd) this.#giveUp(suite, test, { seconds: timeoutMs / 1000, error });
      throw error;
    }
  }

  /** A test that goes on would type, cut the power and write the card beside the next one: there is no next one. */
  #giveUp(suite: Suite, test: HardwareTest, { seconds, error }: { seconds: number; error: NoEnd }): never {
    this.#note(suite, test, { seconds, outcome: 'failed', remark: error.message });
    this.#notRun = `"${suite.name}: ${test.name}" did not end, and the run ended with it`;
    process.exit(1);
  }
}

/** A test did not end in time; it goes on. */
class NoEnd extends Error {}

function remarkOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n').filter(Boolean).slice(0, 4).join(' ');
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, over).then(() => {
    throw new NoEnd(`no end after ${timeoutMs / 60_000} min`);
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
