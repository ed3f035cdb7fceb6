/** Which test; no two of a suite have the same name. */
export interface TestName {
  readonly suite: string;
  readonly name: string;
}

export function isSame(one: TestName, other: TestName): boolean {
  return one.suite === other.suite && one.name === other.name;
}

/** What became of one test. */
export interface Line extends TestName {
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly remark: string;
  /** Of this computer's processors, by what emulates the box; undefined where it is no emulated one. */
  readonly processorSeconds?: number | undefined;
}

export function hasFailed(lines: readonly Line[]): boolean {
  return lines.some(({ outcome }) => outcome === 'failed');
}

/** How a run ended. */
export interface RunEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** What it tells of its tests. */
  readonly lines: readonly Line[];
  /** Why it tells nothing of the others, as far as that is known. */
  readonly notRun: string;
  /** What the run is called where it had no tests. */
  readonly name?: string | undefined;
}

/**
 * A line for each test that was to run. One that nothing is told of has failed, and so has a run that says so by its exit
 * code alone: an error that nobody waits for comes after its test has passed.
 */
export function accountFor(
  chosen: readonly TestName[],
  { exitCode, lines, notRun, name }: RunEnd,
): readonly Line[] {
  const isTold = (test: TestName) => lines.some((line) => isSame(line, test));
  const failed = { seconds: 0, outcome: 'failed' } as const;
  const silent = chosen.filter((each) => !isTold(each));
  const all = [...lines, ...silent.map((each) => ({ ...each, ...failed, remark: `not run: ${notRun}` }))];
  if (exitCode === 0 || hasFailed(all)) return all;
  if (name !== undefined) return [...all, { ...failed, suite: 'all', name, remark: notRun }];
  const suite = [...new Set(chosen.map((each) => each.suite))].join(', ');
  const remark = `exit code ${exitCode}, though no test failed: what was printed says why`;
  return [...all, { ...failed, suite, name: 'the run as a whole', remark }];
}

/** Ends with how many passed; with why nothing was tested, where nothing was. */
export function tableOf(lines: readonly Line[], wallSeconds: number): string {
  const signs = { passed: '✔', failed: '✘', skipped: '–' } as const;
  const rows = lines.map(
    ({ suite, name, seconds, outcome, remark, processorSeconds }) =>
      `${signs[outcome]} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${suite}: ${name}\n${' '.repeat(12)}${remark}${
        processorSeconds === undefined ? '' : ` [${processorSeconds.toFixed(0)} s of a processor]`
      }`,
  );
  const count = (outcome: Line['outcome']) => lines.filter((line) => line.outcome === outcome).length;
  const totals = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped, ${(wallSeconds / 60).toFixed(1)} min${processorTime(lines)}`;
  const reasons = [...new Set(lines.map(({ remark }) => remark))].join(' ');
  const nothing = count('skipped') === lines.length ? [`NOTHING WAS TESTED. ${reasons}`.trimEnd()] : [];
  return ['', ...rows, '', totals, ...nothing].join('\n');
}

/** What all of them took of this computer's processors; nothing where that is of no interest. */
function processorTime(lines: readonly Line[]): string {
  const seconds = lines.reduce((sum, { processorSeconds = 0 }) => sum + processorSeconds, 0);
  return seconds === 0 ? '' : `, ${(seconds / 60).toFixed(1)} min of processors for emulated boxes`;
}
