import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textWidth } from '../base/format.ts';
import {
  advanceProgress,
  bytesPerSecond,
  isPlainLineDue,
  type ProgressCounts,
  type ProgressState,
  renderProgressBar,
  renderProgressLine,
  renderProgressSummary,
  startProgress,
  timeLeftMs,
} from './progress.ts';

const mebibyte = 1024 ** 2;

function counts(doneMebibytes: number, changes: Partial<ProgressCounts> = {}): ProgressCounts {
  return {
    doneBytes: doneMebibytes * mebibyte,
    totalBytes: 1000 * mebibyte,
    doneFiles: Math.floor(doneMebibytes / 10),
    totalFiles: 100,
    totalsKnown: true,
    ...changes,
  };
}

/** `seconds` at a steady rate, seen ten times a second. */
function copyFor(seconds: number, mebibytesPerSecond: number): ProgressState {
  let state = startProgress(0);
  for (let tenth = 1; tenth <= seconds * 10; tenth++) {
    state = advanceProgress(state, counts((tenth / 10) * mebibytesPerSecond), tenth * 100);
  }
  return state;
}

test('the bar shows share, bytes, rate, time left and files in one row', () => {
  assert.equal(
    renderProgressBar(copyFor(5, 50), 5000, 100),
    ' 25% [#######-----------------------]  250.0 MiB of 1000.0 MiB  50.0 MiB/s  15 s left  25/100 files',
  );
});

test('a steady rate is right from the first second on', () => {
  for (const seconds of [1, 3, 10]) {
    const rate = bytesPerSecond(copyFor(seconds, 50))! / mebibyte;
    assert.ok(Math.abs(rate - 50) < 0.5, `${rate} after ${seconds} s`);
  }
});

test('one stalled second moves the rate by less than a quarter', () => {
  const before = copyFor(10, 50);
  const after = advanceProgress(before, counts(500), 11_000);
  const [was, is] = [bytesPerSecond(before)!, bytesPerSecond(after)!];
  assert.ok(is < was && is > was * 0.75, `${is / was}`);
});

test('a copy that stands still has no time left that anybody could tell', () => {
  const state = advanceProgress(startProgress(0), counts(0), 5000);
  assert.equal(timeLeftMs(state), undefined);
  assert.ok(!renderProgressLine(state, 5000).includes('left'));
});

test('while files are still being found there is no share and no time left', () => {
  const state = advanceProgress(startProgress(0), counts(20, { totalsKnown: false }), 1000);
  assert.equal(renderProgressBar(state, 1000, 100), '20.0 MiB of 1000.0 MiB+  20.0 MiB/s  2/100+ files');
});

test('before anything is measured the time that has passed is shown', () => {
  const state = advanceProgress(startProgress(0), counts(0), 100);
  assert.equal(renderProgressLine(state, 100), '0%, 0 B of 1000.0 MiB, 0.1 s so far, 0/100 files');
});

test('a hundred per cent is said only when every file is done', () => {
  const line = (changes: Partial<ProgressCounts>) =>
    renderProgressLine(advanceProgress(startProgress(0), counts(1000, changes), 1000), 1000);
  assert.match(line({ doneFiles: 99 }), /^99%/);
  assert.match(line({ doneFiles: 100 }), /^100%/);
  assert.match(line({ doneBytes: 0, totalBytes: 0, doneFiles: 0, totalFiles: 0 }), /^100%/);
});

test('a plain line is due every five seconds', () => {
  assert.equal(isPlainLineDue(1000, 5999), false);
  assert.equal(isPlainLineDue(1000, 6000), true);
});

test('at the end it says what was moved, in how long and how fast', () => {
  assert.equal(renderProgressSummary(copyFor(20, 50), 20_000), '100 files, 1000.0 MiB in 20 s (50.0 MiB/s)');
});

test('whatever the numbers and the window, the bar stays in one row', () => {
  const count = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(
    fc.property(
      count,
      count,
      count,
      count,
      fc.boolean(),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(),
      (...drawn) => {
        const [doneBytes, totalBytes, doneFiles, totalFiles, totalsKnown, columns, nowMs] = drawn;
        const seen = { doneBytes, totalBytes, doneFiles, totalFiles, totalsKnown };
        const bar = renderProgressBar(advanceProgress(startProgress(0), seen, nowMs), nowMs, columns);
        assert.ok(textWidth(bar) <= Math.max(0, columns - 1), bar);
        assert.ok(!/NaN|Infinity|undefined/.test(bar), bar);
      },
    ),
  );
});
