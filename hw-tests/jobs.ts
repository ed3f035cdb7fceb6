import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { accountFor, type Line, type TestName } from './report.ts';
import type { Suite } from './suite.ts';
import { type ChosenTest, type FromJob, inOrder, isSame, type ToJob } from './test-source.ts';

/** What a test takes of which nobody said how long it is. */
const usualMinutes = 1;

/** The longest first, so that no job is left with one of them when the others have ended. */
export function longestFirst(suites: readonly Suite[]): readonly ChosenTest[] {
  const takes = ({ test }: ChosenTest) => test.minutes ?? usualMinutes;
  return inOrder(suites).toSorted((one, other) => takes(other) - takes(one));
}

export interface JobsOptions {
  readonly jobs: number;
  /** The program that runs the tests it is handed, and its words. */
  readonly program: string;
  readonly words: readonly string[];
  readonly say: (line: string) => void;
}

/**
 * Runs tests in several processes, each of which takes the next as soon as it has ended one; resolves with a line for each
 * test, in the order of the suites, whatever became of the processes.
 */
export async function runBeside(suites: readonly Suite[], options: JobsOptions): Promise<readonly Line[]> {
  const queue = longestFirst(suites).map(({ suite, test: { name } }) => ({ suite, name }));
  const order = inOrder(suites).map(({ suite, test: { name } }) => ({ suite, name }));
  const count = Math.min(options.jobs, queue.length);
  const told = await Promise.all(Array.from({ length: count }, () => runJob(queue, options)));
  // Left over when all of them ended before.
  const notRun = 'no process was left that could have run it';
  const lines = accountFor(queue, { exitCode: 0, lines: told.flat(), notRun });
  const place = (line: Line) => order.findIndex((each) => isSame(each, line)) + 1 || Number.POSITIVE_INFINITY;
  return lines.toSorted((one, other) => place(one) - place(other));
}

/** One process, until it ends: a line for each test that it was handed. */
async function runJob(queue: TestName[], { program, words, say }: JobsOptions): Promise<readonly Line[]> {
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const kill = () => child.kill();
  process.once('exit', kill);
  const handed: TestName[] = [];
  const lines: Line[] = [];
  child.on('message', (said: FromJob) => {
    if ('told' in said) return void lines.push(said.told);
    const next = queue.shift();
    if (next !== undefined) handed.push(next);
    const answer: ToJob = { next: next ?? null };
    // One that ends meanwhile says so by its end.
    child.send(answer, () => {});
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  await passOn(child, say);
  const [exitCode] = await closed;
  process.off('exit', kill);
  const notRun = `its process tells nothing of it, and ended with exit code ${exitCode}`;
  return accountFor(handed, { exitCode, lines, notRun });
}

/** What it prints of its tests; its own summary says nothing of the others'. */
async function passOn(child: ChildProcess, say: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    if (
      /^[✔✖﹣]|^ℹ .*[^0-9.]/.test(line) &&
      !/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration)/.test(line)
    )
      say(line);
  }
}
