import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskAnswerMs, diskCallsMax } from '../base/limits.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { AnswerGate, GatedHandle } from './answer-gate.ts';

/** Calls that come back when they are told to. */
class Calls {
  readonly made: PromiseWithResolvers<number>[] = [];
  readonly make = (): Promise<number> => {
    const call = Promise.withResolvers<number>();
    this.made.push(call);
    return call.promise;
  };
}

test('no more calls than may be are under way, and the next one begins when one has come back', async () => {
  const clock = new FakeClock();
  const gate = new AnswerGate(clock);
  const calls = new Calls();
  const answers = Array.from({ length: diskCallsMax + 2 }, () => gate.call(calls.make));
  await clock.run(0);
  assert.equal(calls.made.length, diskCallsMax);
  calls.made[1]!.resolve(17);
  assert.equal(await answers[1], 17);
  await clock.run(0);
  assert.equal(calls.made.length, diskCallsMax + 1);
  calls.made[0]!.reject(new Error('EIO'));
  await assert.rejects(answers[0]!, /EIO/);
  await clock.run(0);
  assert.equal(calls.made.length, diskCallsMax + 2);
});

test('a call that does not come back is given up, and with it those that wait and those that come', async () => {
  const clock = new FakeClock();
  const gate = new AnswerGate(clock);
  const calls = new Calls();
  const answers = Array.from({ length: diskCallsMax + 1 }, () => gate.call(calls.make));
  const outcomes = Promise.allSettled(answers);
  await clock.run(diskAnswerMs - 1);
  assert.equal(gate.isSilent, false);
  await clock.run(2);
  assert.equal(gate.isSilent, true);
  for (const outcome of await outcomes) {
    assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'DISK_SILENT');
  }
  await assert.rejects(gate.call(calls.make), { code: 'DISK_SILENT' });
  assert.equal(calls.made.length, diskCallsMax, 'a silent disk is asked nothing more');
  let closed = false;
  await gate.release(async () => {
    closed = true;
  });
  assert.ok(closed, 'what only lets go is done all the same');
});

test('it is no longer silent when every late call has come back, and what these bring is discarded', async () => {
  const clock = new FakeClock();
  const gate = new AnswerGate(clock);
  const calls = new Calls();
  const discarded: number[] = [];
  const discard = (late: number) => discarded.push(late);
  const answers = [gate.call(calls.make, discard), gate.call(calls.make, discard)];
  const outcomes = Promise.allSettled(answers);
  await clock.run(diskAnswerMs);
  await outcomes;
  calls.made[0]!.resolve(1);
  await clock.run(0);
  assert.equal(gate.isSilent, true);
  calls.made[1]!.reject(new Error('EIO'));
  await clock.run(0);
  assert.equal(gate.isSilent, false);
  assert.deepEqual(discarded, [1]);
  const next = gate.call(calls.make);
  await clock.run(0);
  calls.made[2]!.resolve(3);
  assert.equal(await next, 3);
});

test('a slow disk is no silent one: the time counts from when a call is made', async () => {
  const clock = new FakeClock();
  const gate = new AnswerGate(clock);
  const calls = new Calls();
  const answers = Array.from({ length: diskCallsMax * 2 }, () => gate.call(calls.make));
  await clock.run(diskAnswerMs * 0.9);
  for (const call of calls.made) call.resolve(0);
  await clock.run(diskAnswerMs * 0.9);
  for (const call of calls.made) call.resolve(0);
  assert.deepEqual(await Promise.all(answers), new Array(diskCallsMax * 2).fill(0));
});

test('what is open is closed after its last call has come back, however late', async () => {
  const clock = new FakeClock();
  const handle = new GatedHandle(new AnswerGate(clock));
  const calls = new Calls();
  const read = assert.rejects(handle.call(calls.make), { code: 'DISK_SILENT' });
  await clock.run(diskAnswerMs);
  await read;
  let closed = false;
  const closing = handle.close(async () => {
    closed = true;
  });
  await clock.run(1000);
  assert.equal(closed, false);
  calls.made[0]!.resolve(1);
  await closing;
  assert.equal(closed, true);
});
