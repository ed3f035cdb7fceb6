import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareOut } from './jobs.ts';

test('suites are shared out so that no job has much more to do than another', () => {
  const minutes = { smoke: 2, storage: 10, update: 18, faults: 13, power: 4 };
  const suites = Object.entries(minutes).map(([name, each]) => ({ name, minutes: each, tests: [] }));
  const named = (jobs: number) => shareOut(suites, jobs).map((share) => share.map(({ name }) => name));
  assert.deepEqual(named(2), [
    ['update', 'power', 'smoke'],
    ['faults', 'storage'],
  ]);
  assert.equal(named(1)[0]?.length, 5);
  assert.equal(named(9).length, 5, 'a job that has nothing to do is none');
});
