import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lookUpCounter, lostCount, markCounter, openWindow } from './replay-window.ts';

test('each counter passes once, in any order within the window, and nothing passes below it', () => {
  let window = openWindow(100);
  for (const counter of [102, 101, 163]) {
    assert.equal(lookUpCounter(window, counter), 'new');
    window = markCounter(window, counter);
    assert.equal(lookUpCounter(window, counter), 'seen');
  }
  assert.equal(lookUpCounter(window, 100), 'seen');
  assert.equal(lookUpCounter(window, 99), 'old');
  window = markCounter(window, 10_000);
  assert.deepEqual(
    [163, 9936, 9937, 10_000, 10_001].map((counter) => lookUpCounter(window, counter)),
    ['old', 'old', 'new', 'seen', 'new'],
  );
});

test('what came late is not lost, and what was before the first is not known', () => {
  let window = openWindow(50);
  assert.equal(lostCount(window), 0);
  window = markCounter(window, 55);
  assert.equal(lostCount(window), 4);
  window = markCounter(window, 52);
  assert.equal(lostCount(window), 3);
  assert.equal(lookUpCounter(window, 49), 'old');
});

test('against a set of all that was seen: nothing passes twice, all that is recent passes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -80, max: 80 }), { maxLength: 200 }), (steps) => {
      let counter = 1000;
      let window = openWindow(counter);
      const first = counter;
      const seen = new Set([counter]);
      for (const step of steps) {
        counter = Math.max(0, counter + step);
        const age = Math.max(...seen) - counter;
        const expected = age >= 64 || counter < first ? 'old' : seen.has(counter) ? 'seen' : 'new';
        assert.equal(lookUpCounter(window, counter), expected);
        if (expected !== 'new') continue;
        window = markCounter(window, counter);
        seen.add(counter);
      }
      assert.equal(lostCount(window), Math.max(...seen) - Math.min(...seen) + 1 - seen.size);
    }),
  );
});
