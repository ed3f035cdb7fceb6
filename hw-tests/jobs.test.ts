import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { longestFirst, runBeside } from './jobs.ts';
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
  const said = () => new Promise((resolve) => process.once('message', resolve));
  for (;;) {
    process.send({ wants: 'next' });
    const { next } = await said();
    if (next === null) break;
    if (next.name === 'dies') process.exit(1);
    if (next.name === 'errs') process.exitCode = 1;
    const outcome = next.name === 'fails' ? 'failed' : 'passed';
    await new Promise((heard) => process.send({ told: { ...next, seconds: 1, outcome, remark: String(process.pid) } }, heard));
  }
  process.disconnect();
`;

async function linesOf(t: TestContext, names: readonly string[], jobs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'aether-jobs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'job.mjs');
  writeFileSync(program, fakeJob);
  const suites = [{ name: 'fake', tests: names.map((name) => fakeTest(name)) }];
  return runBeside(suites, { jobs, program, words: [], say: () => {} });
}

const outcomes = (lines: Awaited<ReturnType<typeof linesOf>>) =>
  lines.map(({ name, outcome }) => `${name}: ${outcome}`);

test('each test is run once, by whichever job is free, and reported in the order of the suites', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `test ${index}`);
  const lines = await linesOf(t, names, 3);
  assert.deepEqual(
    outcomes(lines),
    names.map((name) => `${name}: passed`),
  );
  assert.ok(new Set(lines.map(({ remark }) => remark)).size <= 3);
});

test('the test at which a job dies has failed, and the other jobs run the rest', async (t) => {
  const lines = await linesOf(t, ['dies', 'one', 'two', 'three'], 2);
  assert.deepEqual(outcomes(lines), ['dies: failed', 'one: passed', 'two: passed', 'three: passed']);
  assert.match(lines[0]?.remark ?? '', /tells nothing of it, and ended with exit code 1/);
});

test('when no job is left, each test that was not run has failed', async (t) => {
  const lines = await linesOf(t, ['one', 'dies', 'two'], 1);
  assert.deepEqual(outcomes(lines), ['one: passed', 'dies: failed', 'two: failed']);
  assert.match(lines[2]?.remark ?? '', /not run: no process was left/);
});

test('a job whose exit code alone is bad has failed, and so has one of which a test has', async (t) => {
  assert.deepEqual(outcomes(await linesOf(t, ['errs', 'one'], 1)), [
    'errs: passed',
    'one: passed',
    'the run as a whole: failed',
  ]);
  assert.deepEqual(outcomes(await linesOf(t, ['fails', 'one'], 1)), ['fails: failed', 'one: passed']);
});
