// The one gate: types, lint, then tests by node's runner. `--quick` leaves out the tests that take namespaces, root
// or minutes (*.lan.test.ts, *.device.test.ts, *.slow.test.ts), `--device` is only those of what a person sees of a box;
// paths after it narrow the tests to files that contain one of them.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const testFolders = ['src', 'scripts', 'bench', 'firmware', 'hw-tests'];
const slowTest = /\.(lan|slow|device)\.test\.ts$/;
/** What Node has compiled once: each of the files of tests is a process of its own. */
const compileCache = join(root, 'node_modules/.cache/tests');
const quickTimeoutMs = 60_000;
const fullTimeoutMs = 30 * 60_000;

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
}

async function main(args: readonly string[]): Promise<void> {
  process.chdir(root);
  const quick = args.includes('--quick');
  const only = args.filter((argument) => !argument.startsWith('-'));
  if (args.includes('--device')) only.push('.device.test.ts');
  const files = testFiles().filter(
    (file) =>
      !(quick && slowTest.test(file)) && (only.length === 0 || only.some((part) => file.includes(part))),
  );
  const outcomes = await Promise.all([
    step('types (tsc)', ['tsc', '-p', '.']),
    step('lint and format (biome)', ['biome', 'check', '--error-on-warnings', '.']),
  ]);
  if (files.length === 0) console.error('no test file matches');
  const slow = files.filter((file) => slowTest.test(file));
  const others = files.filter((file) => !slowTest.test(file));
  const timeoutMs = quick ? quickTimeoutMs : fullTimeoutMs;
  const tests = async (name: string, some: readonly string[], atOnce: number) => {
    if (some.length > 0) outcomes.push({ name, passed: await runTests(some, { timeoutMs, atOnce }) });
  };
  // Quick ones first, so that a person learns soon.
  await tests('tests', others, availableParallelism());
  // These share the machine's network and measure time.
  await tests('slower tests', slow, 1);
  if (files.length === 0) outcomes.push({ name: 'tests', passed: false });
  const failed = outcomes.filter(({ passed }) => !passed);
  if (failed.length > 0) console.error(`\n✖ failed: ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function testFiles(): readonly string[] {
  return testFolders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => join(folder, name)),
    )
    .sort();
}

/** Runs one tool and shows what it says only when it fails. */
async function step(name: string, command: readonly string[]): Promise<Outcome> {
  const startMs = performance.now();
  let output = '';
  const exitCode = await run(command, (text) => {
    output += text;
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${exitCode === 0 ? '✔' : '✖'} ${name} (${seconds} s)`);
  if (exitCode !== 0) console.log(output.trimEnd());
  return { name, passed: exitCode === 0 };
}

async function runTests(
  files: readonly string[],
  { timeoutMs, atOnce }: { readonly timeoutMs: number; readonly atOnce: number },
): Promise<boolean> {
  const exitCode = await run([
    process.execPath,
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${timeoutMs}`,
    '--test-reporter=./scripts/test/reporter.ts',
    '--disable-warning=ExperimentalWarning',
    ...files,
  ]);
  return exitCode === 0;
}

function run(command: readonly string[], capture?: (text: string) => void): Promise<number> {
  const [program = '', ...args] = command;
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn(program, args, {
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env, PATH: path },
    stdio: capture === undefined ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', capture!);
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(1);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}

await main(process.argv.slice(2));
