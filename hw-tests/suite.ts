import type { TestName } from './report.ts';
import type { Scene } from './scene.ts';
import type { Capability } from './target.ts';

/** Tests of one kind. */
export interface Suite {
  readonly name: string;
  readonly tests: readonly HardwareTest[];
}

export interface HardwareTest {
  /** A sentence. */
  readonly name: string;
  /** A target that lacks one of these does not run it. */
  readonly needs: readonly Capability[];
  /** It leaves the box as it found it: without snapshots the next test goes on with it. */
  readonly changesNothing?: true;
  /** That it takes on `qemu`, where it is more than one. */
  readonly minutes?: number;
  /** `--short` leaves it out. */
  readonly isLong?: true;
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
