import { accountFor, hasFailed, isSame, type Line, tableOf } from './report.ts';
import { namesOf, type Suite } from './suite.ts';

/** What is known of a run that goes on. */
export interface RunSoFar {
  readonly lines: Line[];
  /** Why nothing is told of a test that was to run. */
  notRun: string;
}

/**
 * Prints what became of all chosen tests, in the order of their suites, when this process ends, however it ends; its exit
 * code is 1 then when one has failed.
 */
export function reportAtExit(chosen: readonly Suite[]): RunSoFar {
  const run: RunSoFar = { lines: [], notRun: 'the run ended before' };
  const names = namesOf(chosen);
  process.once('exit', (exitCode) => {
    const lines = accountFor(names, { exitCode, ...run });
    if (hasFailed(lines)) process.exitCode ||= 1;
    const place = (line: Line) => names.findIndex((each) => isSame(each, line)) + 1 || names.length + 1;
    console.log(
      tableOf(
        lines.toSorted((one, other) => place(one) - place(other)),
        process.uptime(),
      ),
    );
  });
  return run;
}
