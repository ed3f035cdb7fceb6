import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareBytes } from '../../base/bytes.ts';
import { compareTimes, decodeTime, encodeTime, receive, tick } from './hybrid-clock.ts';

const time = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 48 - 2 }), fc.integer({ min: 0, max: 0xffff }))
  .map(([ms, counter]) => ({ ms, counter }));

test('each reading is later than the one before, whatever the wall clock does', () => {
  fc.assert(fc.property(time, fc.nat(), (last, wallMs) => compareTimes(tick(last, wallMs), last) > 0));
});

test('readings are ordered as their bytes are, and survive encoding', () => {
  fc.assert(
    fc.property(time, time, (a, b) => {
      assert.deepEqual(decodeTime(encodeTime(a)), a);
      assert.equal(Math.sign(compareTimes(a, b)), Math.sign(compareBytes(encodeTime(a), encodeTime(b))));
    }),
  );
});

test('after a remote time was received, the next reading is later than it', () => {
  const received = receive({ ms: 1000, counter: 3 }, { ms: 5000, counter: 9 }, 1200);
  assert.ok(received.accepted);
  assert.deepEqual(tick(received.time, 1200), { ms: 5000, counter: 10 });
});

test('a remote clock more than an hour ahead is refused, one an hour ahead is not', () => {
  const hour = 3_600_000;
  const last = { ms: 10, counter: 0 };
  assert.ok(receive(last, { ms: 50 + hour, counter: 0 }, 50).accepted);
  const refused = receive(last, { ms: 51 + hour, counter: 0 }, 50);
  assert.deepEqual(refused, { accepted: false, code: 'CLOCK_SKEW', aheadMs: hour + 1 });
});

test('no run of remote times, however short its steps, pulls a clock more than an hour past the wall', () => {
  const hour = 3_600_000;
  let last = { ms: 0, counter: 0 };
  for (let step = 1; step <= 10; step++) {
    const received = receive(last, { ms: (step * hour) / 2, counter: 0 }, 0);
    if (received.accepted) last = received.time;
  }
  assert.equal(last.ms, hour);
});

test('what is not newer than our last reading is taken, even when our wall clock has been set back', () => {
  const last = { ms: 10_000_000, counter: 3 };
  assert.deepEqual(receive(last, { ms: 10_000_000, counter: 2 }, 0), { accepted: true, time: last });
});
