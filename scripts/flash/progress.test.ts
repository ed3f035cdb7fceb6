import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlashProgress, reachedTenth } from './progress.ts';

const mebibyte = 1024 * 1024;

function shown(columns: number | undefined, totalBytes: number, steps: number, stepMs: number): string[] {
  const texts: string[] = [];
  let nowMs = 5000;
  const screen = { columns, write: (text: string) => void texts.push(text), nowMs: () => nowMs };
  const progress = new FlashProgress(screen, 'Writing', totalBytes);
  for (let step = 1; step <= steps; step++) {
    nowMs += stepMs;
    progress.update((totalBytes / steps) * step);
  }
  progress.finish();
  return texts;
}

test('without a terminal there is a line for every tenth, and one that stays', () => {
  const lines = shown(undefined, 1000 * mebibyte, 100, 500);
  assert.equal(lines.length, 11);
  assert.equal(lines[4], 'Writing  50%  500.0 MiB of 1000.0 MiB  20.0 MiB/s  25 s left\n');
  assert.equal(lines[10], 'Writing: 1000.0 MiB in 50 s\n');
});

test('on a terminal one row is redrawn, at most five times a second, and never wraps', () => {
  const rows = shown(40, 1000 * mebibyte, 100, 20);
  assert.ok(rows.length <= 12, String(rows.length));
  for (const row of rows) {
    assert.ok(row.startsWith('\r\x1b[K'));
    assert.ok(row.replace('\r\x1b[K', '').trimEnd().length < 40, row);
  }
  assert.equal(rows.at(-1), '\r\x1b[KWriting: 1000.0 MiB in 2.0 s\n');
});

test('a tenth is reached once, also when several are passed at a time', () => {
  assert.equal(reachedTenth(0, 9, 100), false);
  assert.equal(reachedTenth(9, 10, 100), true);
  assert.equal(reachedTenth(10, 19, 100), false);
  assert.equal(reachedTenth(10, 100, 100), true);
  assert.equal(reachedTenth(100, 100, 100), false);
});
