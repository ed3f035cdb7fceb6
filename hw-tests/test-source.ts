import { isSame, type Line, type TestName } from './report.ts';
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
  /** Resolves when it would be heard though this process ended at once. */
  tell(line: Line): Promise<void>;
  /** Why the run is to end before its tests do; as `tell`. */
  giveUp(reason: string): Promise<void>;
}

/** All tests, in the order of their suites. */
export function inOrder(suites: readonly Suite[]): readonly ChosenTest[] {
  return suites.flatMap(({ name: suite, tests }) => tests.map((test) => ({ suite, test })));
}

/** What a job says to the run that started it. */
export type FromJob = { readonly wants: 'next' } | { readonly told: Line } | { readonly givesUp: string };
/** What it is answered; null: there is none left. */
export type ToJob = { readonly next: TestName | null };

/** Tests that the process which started this one hands out. Without that one this one ends, whatever it is at. */
export function handedOut(tests: readonly ChosenTest[]): TestSource {
  const say = (message: FromJob) =>
    new Promise<void>((resolve, reject) => {
      process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
    });
  process.on('disconnect', () => process.exit(1));
  return {
    next: async () => {
      const answer = new Promise<ToJob>((resolve) => process.once('message', (said: ToJob) => resolve(said)));
      await say({ wants: 'next' });
      const { next } = await answer;
      if (next !== null) return tests.find(({ suite, test: { name } }) => isSame({ suite, name }, next));
      // Who listens for its end keeps the channel, which keeps this process.
      process.removeAllListeners('disconnect');
      return undefined;
    },
    tell: (line) => say({ told: line }),
    giveUp: (reason) => say({ givesUp: reason }),
  };
}
