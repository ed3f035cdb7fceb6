import assert from 'node:assert/strict';
import { test } from 'node:test';
import { supervisionStartMsMax, supervisionStopMsMax } from '../base/face-limits.ts';
import { supervise } from '../box-supervision.ts';
import { FakeClock } from './fake-clock.ts';

test('a start is given time as long as it tells of itself, and no more after ten minutes', async () => {
  const clock = new FakeClock();
  let told: string[] = [];
  supervise({ watchdogMs: 30_000, tell: (words) => told.push(words) }, clock);
  const asks = () => told.filter((words) => words.includes('EXTEND_TIMEOUT_USEC=60000000')).length;
  await clock.run(supervisionStartMsMax);
  assert.ok(asks() > 100);
  told = [];
  await clock.run(60_000);
  assert.equal(asks(), 0, 'a start that takes so long hangs');
  assert.ok(told.length > 5, 'it still says that it lives');
});

test('a box that serves says how it is, however long that is', async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const supervision = supervise({ watchdogMs: 30_000, tell: (words) => told.push(words) }, clock);
  supervision.serving(() => 'all is well');
  assert.ok(told.includes('READY=1'));
  await clock.run(2 * supervisionStartMsMax);
  assert.equal(told.at(-1), 'WATCHDOG=1\nSTATUS=all is well');
});

test('an end that hangs is fed no more after five minutes, so that the watchdog ends it', async () => {
  const clock = new FakeClock();
  let told: string[] = [];
  const supervision = supervise({ watchdogMs: 30_000, tell: (words) => told.push(words) }, clock);
  supervision.serving(() => 'all is well');
  supervision.stopping();
  await clock.run(supervisionStopMsMax);
  assert.equal(told.at(-1), 'WATCHDOG=1\nSTATUS=Stopping');
  told = [];
  await clock.run(supervisionStopMsMax);
  assert.deepEqual(told, []);
});
