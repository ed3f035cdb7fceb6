import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockJudgedEveryMs, toldTimeMsMax } from '../base/limits.ts';
import { releasedMs } from '../base/version.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { PoolTime, tellTime } from './pool-time.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const today = releasedMs + 30 * day;
const member = (number: number, role: 'box' | 'desktop') => ({
  memberId: new Uint8Array(32).fill(number),
  role,
});
const box = (number: number) => member(number, 'box');
const desktop = (number: number) => member(number, 'desktop');

/** A clock that shows `startMs` at first, and that nothing has set. */
function unset(startMs: number) {
  const own = new FakeClock(startMs);
  const time = new PoolTime(own);
  return { own, time, shown: () => time.clock.wallMs() };
}

test('a clock that is set goes by itself, whatever others say', () => {
  const { time, shown } = unset(today);
  time.judgeBy(() => true);
  time.hear(box(1), { wallMs: today + day, isSet: true });
  time.notBefore(today + 2 * day);
  assert.equal(shown(), today);
  assert.deepEqual([time.isKnown, time.tell()], [true, { wallMs: today, isSet: true }]);
});

test('one that is not set goes by a member whose clock is, and says so of itself', async () => {
  const { own, time, shown } = unset(0);
  time.judgeBy(() => true);
  assert.deepEqual([shown(), time.isKnown], [0, false]);
  time.hear(box(1), { wallMs: today, isSet: true });
  await own.run(minute);
  assert.deepEqual([shown(), time.isKnown], [today + minute, true]);
  assert.deepEqual(time.tell(), { wallMs: today + minute, isSet: false });
});

test('when a time server is found is noticed, and what it says holds, also when nobody asks it any more', async () => {
  const { own, time, shown } = unset(today);
  let isSet = false;
  time.judgeBy(() => isSet);
  time.notBefore(today + day);
  assert.equal(shown(), today + day);
  isSet = true;
  await own.run(clockJudgedEveryMs);
  assert.equal(shown(), today + clockJudgedEveryMs);
  isSet = false;
  await own.run(day);
  assert.deepEqual([shown(), time.isKnown], [today + clockJudgedEveryMs + day, true]);
});

test('boxes that lost power for different times agree on the latest, also when most were off for longer', () => {
  const [first, second, latest] = [unset(today), unset(today), unset(today + 5 * minute)];
  for (const { time } of [first, second]) {
    time.hear(box(1), { wallMs: today, isSet: false });
    time.hear(box(3), latest.time.tell());
  }
  latest.time.hear(box(1), first.time.tell());
  latest.time.hear(box(2), { wallMs: releasedMs - day, isSet: false });
  for (const { time, shown } of [first, second, latest])
    assert.deepEqual([shown(), time.isKnown], [today + 5 * minute, false]);
});

test('of three that know the time, one that is wrong moves nobody, whichever is heard first; of two none moves ahead', () => {
  for (const wrongMs of [today + 1000 * day, today - 20 * day]) {
    const tellings = [today, today + minute, wrongMs].map(
      (wallMs, index) => [box(index), { wallMs, isSet: true }] as const,
    );
    for (const order of [tellings, tellings.toReversed()]) {
      const { time, shown } = unset(0);
      for (const [teller, told] of order) time.hear(teller, told);
      assert.ok(Math.abs(shown() - today) <= minute, `${shown() - today}`);
    }
  }
  const { time, shown } = unset(0);
  time.hear(box(1), { wallMs: today + 1000 * day, isSet: true });
  time.hear(box(2), { wallMs: today, isSet: true });
  assert.equal(shown(), today);
});

test('desktops count where no box knows the time', () => {
  const { time, shown } = unset(0);
  time.hear(box(1), { wallMs: today - day, isSet: false });
  time.hear(desktop(2), { wallMs: today + day, isSet: true });
  assert.equal(shown(), today + day);
  time.hear(box(3), { wallMs: today, isSet: true });
  assert.equal(shown(), today);
});

test('without a box that knows the time it does not go back, whoever says so', async () => {
  const { own, time, shown } = unset(releasedMs);
  await own.run(minute);
  time.notBefore(today);
  time.notBefore(today - day);
  await own.run(minute);
  assert.deepEqual([shown(), time.isKnown], [today + minute, false]);
  time.hear(desktop(1), { wallMs: today - day, isSet: true });
  assert.deepEqual([shown(), time.isKnown], [today + minute, false]);
  time.hear(desktop(1), { wallMs: today + day, isSet: true });
  time.hear(desktop(2), { wallMs: today, isSet: true });
  assert.equal(shown(), today + day);
  time.hear(box(3), { wallMs: today, isSet: true });
  assert.deepEqual([shown(), time.isKnown], [today, true]);
  time.forget();
  assert.deepEqual([shown(), time.isKnown], [releasedMs + 2 * minute, false]);
});

test('what no clock shows is not taken, and who says of 1970 that it was set is not believed', () => {
  const { time, shown } = unset(0);
  time.hear(box(1), { wallMs: toldTimeMsMax + 1, isSet: true });
  time.notBefore(toldTimeMsMax + 1);
  assert.equal(shown(), 0);
  time.hear(box(2), { wallMs: minute, isSet: true });
  assert.deepEqual([shown(), time.isKnown], [minute, false]);
});

test('a desktop says that its clock is set unless it cannot be', () => {
  assert.deepEqual(tellTime(new FakeClock(today)), { wallMs: today, isSet: true });
  assert.deepEqual(tellTime(new FakeClock(day)), { wallMs: day, isSet: false });
});
