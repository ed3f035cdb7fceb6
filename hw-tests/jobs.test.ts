import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { longestFirst, runBeside } from './jobs.ts';
import type { Line } from './report.ts';
import type { Suite } from './suite.ts';

function fakeTest(name: string, minutes?: number) {
  return { name, needs: [], run: () => Promise.resolve(''), ...(minutes === undefined ? {} : { minutes }) };
}

test('the longest tests are handed out first, the others in the order of their suites', () => {
  const suites: readonly Suite[] = [
    { name: 'smoke', tests: [fakeTest('boots'), fakeTest('answers')] },
    { name: 'update', tests: [fakeTest('good', 4), fakeTest('cut', 19)] },
  ];
  assert.deepEqual(
    longestFirst(suites).map((each) => `${each.suite}: ${each.test.name}`),
    ['update: cut', 'update: good', 'smoke: boots', 'smoke: answers'],
  );
});

/** A job that passes each test it is handed but for some, of which it does what their names say. */
const fakeJob = `
  import { setTimeout as delay } from 'node:timers/promises';
  import { handedOut } from '${join(import.meta.dirname, 'test-source.ts')}';
  const tests = JSON.parse(process.argv[2]).map((name) => ({ suite: 'fake', test: { name } }));
  const source = handedOut(tests);
  if (process.argv[3] === 'no target') {
    await source.giveUp('there is no target');
    process.exit(1);
  }
  for (;;) {
    const next = await source.next();
    if (next === undefined) break;
    const { suite, test: { name } } = next;
    if (name === 'dies') process.exit(1);
    if (name === 'errs') process.exitCode = 1;
    await delay(20);
    const outcome = name === 'fails' ? 'failed' : 'passed';
    await source.tell({ suite, name, seconds: 1, outcome, remark: String(process.pid) });
  }
`;

async function runFakes(
  t: TestContext,
  tests: readonly ReturnType<typeof fakeTest>[],
  { jobs, words = [] }: { readonly jobs: number; readonly words?: readonly string[] },
) {
  const folder = mkdtempSync(join(tmpdir(), 'aether-jobs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'job.mjs');
  writeFileSync(program, fakeJob);
  const lines: Line[] = [];
  const names = JSON.stringify(tests.map(({ name }) => name));
  const notRun = await runBeside([{ name: 'fake', tests }], {
    ...{ jobs, program, words: [names, ...words], say: () => {} },
    tell: (line) => void lines.push(line),
  });
  return { lines, notRun };
}

const outcomes = (lines: readonly Line[]) => lines.map(({ name, outcome }) => `${name}: ${outcome}`);

test('each test is run once, by whichever job is free', async (t) => {
  const tests = Array.from({ length: 20 }, (_, index) => fakeTest(`test ${index}`));
  const { lines, notRun } = await runFakes(t, tests, { jobs: 3 });
  assert.deepEqual(outcomes(lines).toSorted(), tests.map(({ name }) => `${name}: passed`).toSorted());
  assert.ok(new Set(lines.map(({ remark }) => remark)).size > 1, 'by one job');
  assert.equal(notRun, undefined);
});

test('the test at which a job dies has failed, and the other jobs run the rest', async (t) => {
  const tests = ['dies', 'one', 'two', 'three'].map((name) => fakeTest(name));
  const { lines, notRun } = await runFakes(t, tests, { jobs: 2 });
  assert.deepEqual(outcomes(lines).toSorted(), [
    'dies: failed',
    'one: passed',
    'three: passed',
    'two: passed',
  ]);
  const { remark } = lines.find(({ name }) => name === 'dies')!;
  assert.match(remark, /tells nothing of it, and ended with exit code 1/);
  assert.equal(notRun, undefined);
});

test('when no job is left, it is said why the rest was not run', async (t) => {
  const tests = ['one', 'dies', 'two'].map((name) => fakeTest(name));
  const { lines, notRun } = await runFakes(t, tests, { jobs: 1 });
  assert.deepEqual(outcomes(lines), ['one: passed', 'dies: failed']);
  assert.match(notRun ?? '', /ended with exit code 1/);
});

test('a job that has no target says so, and nothing is run', async (t) => {
  const { lines, notRun } = await runFakes(t, [fakeTest('one')], { jobs: 1, words: ['no target'] });
  assert.deepEqual(outcomes(lines), ['process 1 of those that run tests: failed']);
  assert.equal(lines[0]?.remark, 'there is no target');
  assert.equal(notRun, 'there is no target');
});

test('a job whose exit code alone is bad has failed, and one of which a test has failed says no more', async (t) => {
  const run = async (...names: readonly string[]) => {
    const { lines } = await runFakes(
      t,
      names.map((name) => fakeTest(name)),
      { jobs: 1 },
    );
    return outcomes(lines);
  };
  assert.deepEqual(await run('errs', 'one'), ['errs: passed', 'one: passed', 'the run as a whole: failed']);
  assert.deepEqual(await run('fails', 'one'), ['fails: failed', 'one: passed']);
});
