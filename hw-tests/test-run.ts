import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../firmware/paths.ts';
import { temporaryFolder } from '../scripts/lan/temporary-folder.ts';
import type { Line } from './report.ts';
import { Scene } from './scene.ts';
import type { HardwareTest } from './suite.ts';
import { type Target, whyNot } from './target.ts';
import { openTarget } from './targets/open-target.ts';
import type { ChosenTest, TestSource } from './test-source.ts';

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
}

/** Tests, one after another on one target, and what became of them. */
export class TestRun {
  readonly #source: TestSource;
  readonly #options: TestRunOptions;

  constructor(source: TestSource, options: TestRunOptions) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * Hands the tests to node's runner. `missing`: why the target cannot be had here; then each is skipped by name. Rejects
   * when the target does not open.
   */
  async run(missing: string | undefined): Promise<void> {
    if (missing !== undefined) return this.#runEach(() => missing);
    const folder = temporaryFolder('hw');
    const target = await this.#open(join(folder, 'target'));
    const scene = new Scene(target, join(folder, 'desktop'));
    try {
      await this.#runEach((each) => this.#whyNot(each, target), scene);
    } finally {
      await target.close();
    }
  }

  /** `whyNot`: the reason for which a test is skipped. */
  async #runEach(whyNot: (test: HardwareTest) => string | undefined, scene?: Scene): Promise<void> {
    for (;;) {
      const each = await this.#source.next();
      if (each === undefined) return;
      await test(`${each.suite}: ${each.test.name}`, async (context) => {
        const reason = whyNot(each.test);
        if (reason === undefined) return context.diagnostic(await this.#runTest(each, scene!));
        await this.#note(each, { seconds: 0, outcome: 'skipped', remark: reason });
        context.skip(reason);
      });
    }
  }

  #whyNot({ needs, isLong }: HardwareTest, { capabilities }: Target): string | undefined {
    if (this.#options.short && isLong === true) return 'Left out by --short.';
    return whyNot(capabilities, needs);
  }

  async #open(folder: string): Promise<Target> {
    const { target, images, processors } = this.#options;
    try {
      return await openTarget(target, { folder, images, processors, say: (line) => console.log(line) });
    } catch (error) {
      await this.#source.giveUp(`there is no target: ${remarkOf(error)}`);
      throw error;
    }
  }

  async #note(
    { suite, test: { name } }: ChosenTest,
    what: Omit<Line, 'suite' | 'name' | 'processorSeconds'>,
    processorSeconds?: number,
  ): Promise<string> {
    await this.#source.tell({ suite, name, ...what, processorSeconds });
    return what.remark;
  }

  /** Rejects when it failed, with what it failed of. */
  async #runTest(each: ChosenTest, scene: Scene): Promise<string> {
    const startMs = performance.now();
    const before = scene.target.processorSeconds();
    const { outcome, remark, error } = await this.#outcomeOf(each, scene);
    const seconds = (performance.now() - startMs) / 1000;
    const after = scene.target.processorSeconds();
    const used = before === undefined || after === undefined ? undefined : after - before;
    await this.#note(each, { seconds, outcome, remark }, used);
    if (outcome === 'failed') throw error;
    return remark;
  }

  async #outcomeOf(
    each: ChosenTest,
    scene: Scene,
  ): Promise<Pick<Line, 'outcome' | 'remark'> & { readonly error?: unknown }> {
    const once = () => this.#tryOnce(each, scene);
    try {
      return { outcome: 'passed', remark: await once() };
    } catch (error) {
      const first = remarkOf(error);
      const failed = { outcome: 'failed', remark: first, error } as const;
      if (!this.#options.again) return failed;
      scene.tryAgain();
      const second = await once().catch(() => undefined);
      if (second === undefined) return failed;
      return { outcome: 'passed', remark: `only at the second try, after: ${first} — ${second}` };
    }
  }

  async #tryOnce(each: ChosenTest, scene: Scene): Promise<string> {
    const { suite, test } = each;
    const timeoutMs = scene.patienceMs(this.#options.timeoutMs);
    try {
      const remark = await within(timeoutMs, test.run(scene));
      if (test.changesNothing !== true) scene.disturbed();
      return remark;
    } catch (error) {
      scene.disturbed();
      console.log(`✖ ${remarkOf(error)}`);
      await keepEvidence(`${suite} ${test.name}`, scene);
      if (error instanceof NoEnd) await this.#giveUp(each, timeoutMs / 1000, error);
      throw error;
    }
  }

  /** A test that goes on would type, cut the power and write the card beside the next one: there is no next one. */
  async #giveUp(each: ChosenTest, seconds: number, error: NoEnd): Promise<never> {
    const name = `${each.suite}: ${each.test.name}`;
    await this.#note(each, { seconds, outcome: 'failed', remark: error.message }).catch(() => {});
    await this.#source.giveUp(`"${name}" did not end, and the run ended with it`).catch(() => {});
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
