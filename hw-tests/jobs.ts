import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { accountFor, type Line, type TestName } from './report.ts';
import type { Suite } from './suite.ts';
import { type ChosenTest, type FromJob, inOrder, type ToJob } from './test-source.ts';

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
  /** Of each test that was handed out, once; and of a process that ended badly otherwise. */
  readonly tell: (line: Line) => void;
}

/**
 * Runs tests in several processes, each of which takes the next as soon as it has ended one. Resolves when all have ended:
 * with the reason for which some of the tests were not handed out, where there is one.
 */
export async function runBeside(suites: readonly Suite[], options: JobsOptions): Promise<string | undefined> {
  const queue = longestFirst(suites).map(({ suite, test: { name } }) => ({ suite, name }));
  const children = new Set<ChildProcess>();
  const killAll = () => children.forEach((child) => void child.kill());
  process.once('exit', killAll);
  const numbers = Array.from({ length: Math.min(options.jobs, queue.length) }, (_, index) => index + 1);
  const reasons = await Promise.all(numbers.map((number) => runJob({ number, queue, children }, options)));
  process.off('exit', killAll);
  return queue.length === 0 ? undefined : [...new Set(reasons)].join('; ');
}

interface Job {
  readonly number: number;
  /** Of all jobs: the tests that are left. */
  readonly queue: TestName[];
  /** Of all jobs: those that run. */
  readonly children: Set<ChildProcess>;
}

/** One process, until it ends: with the reason for which it ended. */
async function runJob(
  { number, queue, children }: Job,
  { program, words, say, tell }: JobsOptions,
): Promise<string> {
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  children.add(child);
  const handed: TestName[] = [];
  const lines: Line[] = [];
  let reason: string | undefined;
  child.on('message', (said: FromJob) => {
    if ('told' in said) {
      lines.push(said.told);
      tell(said.told);
    } else if ('givesUp' in said) {
      reason = said.givesUp;
    } else {
      const next = queue.shift();
      if (next !== undefined) handed.push(next);
      const answer: ToJob = { next: next ?? null };
      // One that ends meanwhile says so by its end.
      child.send(answer, () => {});
    }
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  await passOn(child, say);
  const [exitCode] = await closed;
  children.delete(child);
  const notRun = reason ?? `its process tells nothing of it, and ended with exit code ${exitCode}`;
  const name = handed.length > 0 ? undefined : `process ${number} of those that run tests`;
  const all = accountFor(handed, { exitCode, lines, notRun, name });
  for (const line of all.slice(lines.length)) tell(line);
  return notRun;
}

/** What it prints of its tests; its own summary says nothing of the others'. */
async function passOn(child: ChildProcess, say: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    if (/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration)/.test(line)) continue;
    if (/^[✔✖﹣]|^ℹ .*[^0-9.]|^what was on the serial line|^the box has not settled/.test(line)) say(line);
  }
}
