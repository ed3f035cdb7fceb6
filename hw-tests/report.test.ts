import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountFor, type Line, tableOf } from './report.ts';
import { choose, namesOf, type Suite } from './suite.ts';

const suites: readonly Suite[] = [
  { name: 'light', tests: ['it shines', 'it blinks'].map(fakeTest) },
  { name: 'dark', tests: ['it is off'].map(fakeTest) },
];

function fakeTest(name: string) {
  return { name, needs: [], run: () => Promise.resolve('') };
}

function lines(outcome: Line['outcome'], remark = ''): readonly Line[] {
  return namesOf(suites).map((each) => ({ ...each, seconds: 1, outcome, remark }));
}

const outcomes = (some: readonly Line[]) => some.map(({ name, outcome }) => `${name}: ${outcome}`);

test('a test that was to run and of which nothing is told has failed, with the reason', () => {
  const told = lines('passed').slice(0, 1);
  const all = accountFor(namesOf(suites), { exitCode: 0, lines: told, notRun: 'no target' });
  assert.deepEqual(outcomes(all), ['it shines: passed', 'it blinks: failed', 'it is off: failed']);
  assert.equal(all[1]?.remark, 'not run: no target');
});

test('a run that fails by its exit code alone has failed, though every test passed', () => {
  const account = (exitCode: number | null, told: readonly Line[]) =>
    accountFor(namesOf(suites), { exitCode, lines: told, notRun: '' });
  assert.deepEqual(account(0, lines('passed')), lines('passed'));
  assert.deepEqual(account(1, lines('failed')), lines('failed'), 'the reason is told already');
  for (const exitCode of [1, null]) {
    const last = account(exitCode, lines('passed')).at(-1);
    assert.equal(last?.outcome, 'failed');
    assert.match(last.remark, /no test failed/);
  }
});

test('the last line of a report says that nothing was tested, and why, when all was skipped', () => {
  const lastLine = (some: readonly Line[]) => tableOf(some, 60).split('\n').at(-1);
  assert.equal(lastLine(lines('skipped', 'Root is needed.')), 'NOTHING WAS TESTED. Root is needed.');
  assert.equal(lastLine([]), 'NOTHING WAS TESTED.');
  const some = [...lines('skipped').slice(1), ...lines('passed').slice(0, 1)];
  assert.equal(lastLine(some), '1 passed, 0 failed, 2 skipped, 1.0 min');
});

test('tests are chosen by suite and by words, and a suite of which none is chosen is left out', () => {
  const chosen = (names: readonly string[] | undefined, text: string) =>
    namesOf(choose(suites, names, text)).map(({ suite, name }) => `${suite}: ${name}`);
  assert.equal(chosen(undefined, '').length, 3);
  assert.deepEqual(chosen(undefined, 'shines'), ['light: it shines']);
  assert.deepEqual(chosen(['dark'], ''), ['dark: it is off']);
  assert.deepEqual(choose(suites, undefined, 'shinse'), []);
});

test('what boxes took of the processors is said of each test, and of all', () => {
  const used = lines('passed', 'well').map((line) => ({ ...line, processorSeconds: 90 }));
  const table = tableOf(used, 60);
  assert.match(table, /light: it shines\n +well \[90 s of a processor\]/);
  assert.match(table, /1\.0 min, 4\.5 min of processors for emulated boxes$/);
  assert.doesNotMatch(tableOf(lines('passed', 'well'), 60), /processor/);
});
