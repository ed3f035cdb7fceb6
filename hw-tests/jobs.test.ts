import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runBeside, shareOut } from './jobs.ts';

test('suites are shared out so that no job has much more to do than another', () => {
  const minutes = { smoke: 2, storage: 10, update: 18, faults: 13, power: 4 };
  const suites = Object.entries(minutes).map(([name, each]) => ({ name, minutes: each, tests: [] }));
  const named = (jobs: number) =>
    shareOut(suites, { jobs, short: false }).map((share) => share.map(({ name }) => name));
  assert.deepEqual(named(2), [
    ['update', 'power', 'smoke'],
    ['faults', 'storage'],
  ]);
  assert.equal(named(1)[0]?.length, 5);
  assert.equal(named(9).length, 5, 'a job that has nothing to do is none');
});

test('without the longest tests suites are shared out by what is left of them', () => {
  const long = { name: 'long', needs: [], longMinutes: 9, run: () => Promise.resolve('') };
  const suites = [
    { name: 'storage', minutes: 10, tests: [long] },
    { name: 'faults', minutes: 6, tests: [] },
    { name: 'power', minutes: 4, tests: [] },
  ];
  const named = (short: boolean) =>
    shareOut(suites, { jobs: 2, short }).map((share) => share.map(({ name }) => name));
  assert.deepEqual(named(false), [['storage'], ['faults', 'power']]);
  assert.deepEqual(named(true), [['faults'], ['power', 'storage']]);
});

/** A job as its suite's name says: one that passes, one that dies without a word, one whose exit code alone is bad. */
const fakeJob = `
  import { writeFileSync } from 'node:fs';
  const after = (word) => process.argv[process.argv.indexOf(word) + 1];
  const suite = after('--suite');
  if (suite === 'dies') process.exit(1);
  const line = { suite, name: 'a test', seconds: 1, outcome: 'passed', remark: '' };
  writeFileSync(after('--report'), JSON.stringify([line]));
  process.exitCode = suite === 'errs' ? 1 : 0;
`;

test('a job that ends badly has failed, whatever the others report', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-jobs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'job.mjs');
  writeFileSync(program, fakeJob);
  const shares = ['passes', 'dies', 'errs'].map((name) => [
    { name, minutes: 1, tests: [{ name: 'a test', needs: [], run: () => Promise.resolve('') }] },
  ]);
  const lines = await runBeside(shares, { program, words: [], folder, say: () => {} });
  assert.deepEqual(
    lines.map(({ suite, name, outcome }) => `${suite}: ${name} ${outcome}`),
    [
      'passes: a test passed',
      'dies: a test failed',
      'errs: a test passed',
      'errs: the run as a whole failed',
    ],
  );
});
