import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { accountFor, type Line } from './report.ts';
import { minutesOf, namesOf, type Suite } from './suite.ts';

/** Suites for so many runs beside each other, the longest first to whoever has least to do. */
export function shareOut(
  suites: readonly Suite[],
  { jobs, short }: { readonly jobs: number; readonly short: boolean },
): readonly (readonly Suite[])[] {
  const shares = Array.from({ length: jobs }, () => ({ minutes: 0, suites: [] as Suite[] }));
  const takes = (suite: Suite) => minutesOf(suite, short);
  for (const suite of suites.toSorted((one, other) => takes(other) - takes(one))) {
    const least = shares.reduce((one, other) => (other.minutes < one.minutes ? other : one));
    least.minutes += takes(suite);
    least.suites.push(suite);
  }
  return shares.map((share) => share.suites).filter((share) => share.length > 0);
}

export interface JobsOptions {
  /** The program that runs some suites, and its words but for these. */
  readonly program: string;
  readonly words: readonly string[];
  /** For what the jobs report. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Runs each share in a process of its own; resolves with a line for each of its tests, whatever became of the process. */
export async function runBeside(
  shares: readonly (readonly Suite[])[],
  { program, words, folder, say }: JobsOptions,
): Promise<readonly Line[]> {
  const jobs = shares.map(async (share, index) => {
    const report = join(folder, `report${index}.json`);
    const chosen = share.flatMap(({ name }) => ['--suite', name]);
    const child = spawn(process.execPath, [program, ...words, ...chosen, '--report', report], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.once('exit', () => child.kill());
    const closed = once(child, 'close') as Promise<[number | null]>;
    for await (const line of createInterface({ input: child.stdout })) {
      if (
        /^[✔✖﹣]|^ℹ .*[^0-9.]/.test(line) &&
        !/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration)/.test(line)
      )
        say(line);
    }
    const [exitCode] = await closed;
    const notRun = `its process tells nothing of it, and ended with exit code ${exitCode}`;
    return accountFor(namesOf(share), { exitCode, lines: readReport(report), notRun });
  });
  return (await Promise.all(jobs)).flat();
}

/** None from a process that was killed before its end. */
function readReport(file: string): readonly Line[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly Line[]) : [];
}
