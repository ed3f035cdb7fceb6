import type { Line, TestName } from './report.ts';
import type { HardwareTest, Suite } from './suite.ts';

/** A test of a suite, as it is run. */
export interface ChosenTest {
  readonly suite: string;
  readonly test: HardwareTest;
}

/** Where a run has its tests from, and whom it tells what became of them. */
export interface TestSource {
  /** Resolves with the next one to run; with nothing when there is none any more. */
  next(): Promise<ChosenTest | undefined>;
  /** Resolves when it is heard, even if this process ended at once. */
  tell(line: Line): Promise<void>;
}

/** All tests, in the order of their suites. */
export function inOrder(suites: readonly Suite[]): readonly ChosenTest[] {
  return suites.flatMap(({ name: suite, tests }) => tests.map((test) => ({ suite, test })));
}

/** One after another, all of them by one run. */
export function listed(tests: readonly ChosenTest[], tell: (line: Line) => void): TestSource {
  const left = [...tests];
  return { next: async () => left.shift(), tell: async (line) => tell(line) };
}

/** What a job says to the run that started it. */
export type FromJob = { readonly wants: 'next' } | { readonly told: Line };
/** What it is answered; null: there is none left. */
export type ToJob = { readonly next: TestName | null };

/** Tests that the process which started this one hands out. */
export function handedOut(tests: readonly ChosenTest[]): TestSource {
  const say = (message: FromJob) =>
    new Promise<void>((resolve, reject) => {
      process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
    });
  return {
    next: async () => {
      const answer = new Promise<ToJob>((resolve) => process.once('message', (said: ToJob) => resolve(said)));
      await say({ wants: 'next' });
      const { next } = await answer;
      if (next !== null) return tests.find((each) => isSame({ ...each, name: each.test.name }, next));
      // Nothing more is said; an open channel would keep this process.
      process.disconnect();
      return undefined;
    },
    tell: (line) => say({ told: line }),
  };
}

export function isSame(one: TestName, other: TestName): boolean {
  return one.suite === other.suite && one.name === other.name;
}
