import { accountFor, hasFailed, type Line, tableOf } from './report.ts';
import { namesOf, type Suite } from './suite.ts';
import { TestRun, type TestRunOptions } from './test-run.ts';
import { inOrder, listed } from './test-source.ts';

/** All chosen tests in this process, with one box, and the report at its end, however it ends. */
export async function runAlone(
  chosen: readonly Suite[],
  options: TestRunOptions,
  missing: string | undefined,
): Promise<void> {
  const lines: Line[] = [];
  const run = new TestRun(
    listed(inOrder(chosen), (line) => lines.push(line)),
    options,
  );
  process.once('exit', (exitCode) => {
    const all = accountFor(namesOf(chosen), { exitCode, lines, notRun: run.notRun });
    if (hasFailed(all)) process.exitCode ||= 1;
    console.log(tableOf(all, process.uptime()));
  });
  await run.run(missing);
}
