import type { TestName } from './report.ts';
import type { Scene } from './scene.ts';
import type { Capability } from './target.ts';

/** Tests of one kind; run one after another. */
export interface Suite {
  readonly name: string;
  /** That it takes on `qemu` with two cores; by this suites are shared out among jobs. */
  readonly minutes: number;
  readonly tests: readonly HardwareTest[];
}

export interface HardwareTest {
  /** A sentence. */
  readonly name: string;
  /** A target that lacks one of these does not run it. */
  readonly needs: readonly Capability[];
  /** It leaves the box as it found it: without snapshots the next test goes on with it. */
  readonly changesNothing?: true;
  /** As a suite's; of those that `--short` leaves out. */
  readonly longMinutes?: number;
  /** Resolves with a remark for the report: what was measured. */
  readonly run: (scene: Scene) => Promise<string>;
}

/** Those of some suites, with only the tests whose names contain the text; a suite without any is left out. */
export function choose(
  suites: readonly Suite[],
  names: readonly string[] | undefined,
  text: string,
): readonly Suite[] {
  return suites
    .filter(({ name }) => names?.includes(name) ?? true)
    .map((suite) => ({ ...suite, tests: suite.tests.filter(({ name }) => name.includes(text)) }))
    .filter(({ tests }) => tests.length > 0);
}

export function namesOf(suites: readonly Suite[]): readonly TestName[] {
  return suites.flatMap(({ name: suite, tests }) => tests.map(({ name }) => ({ suite, name })));
}

/** What the tests of a suite take, as its `minutes`. */
export function minutesOf({ minutes, tests }: Suite, short: boolean): number {
  return short ? tests.reduce((rest, { longMinutes = 0 }) => rest - longMinutes, minutes) : minutes;
}
