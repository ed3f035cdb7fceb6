import { reportAtExit } from './report-at-exit.ts';
import type { Suite } from './suite.ts';
import { TestRun, type TestRunOptions } from './test-run.ts';
import { inOrder } from './test-source.ts';

/** All chosen tests in this process, one after another, with one box. `missing`: as `TestRun.run` has it. */
export async function runAlone(
  chosen: readonly Suite[],
  options: TestRunOptions,
  missing: string | undefined,
): Promise<void> {
  const left = [...inOrder(chosen)];
  const run = reportAtExit(chosen);
  const source = {
    next: async () => left.shift(),
    tell: async (line: (typeof run.lines)[number]) => void run.lines.push(line),
    giveUp: async (reason: string) => {
      run.notRun = reason;
    },
  };
  await new TestRun(source, options).run(missing);
}
