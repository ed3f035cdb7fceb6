import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findLeaks, leaksMax } from './leak-search.ts';

const folder = mkdtempSync(join(tmpdir(), 'aether-leak-'));
after(() => rmSync(folder, { recursive: true }));

/** Bytes that nothing else shares sixteen of. */
function noise(seed: string, size: number): Buffer {
  const parts = Array.from({ length: Math.ceil(size / 32) }, (_, index) =>
    createHash('sha256').update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, size);
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test('a run of 16 bytes is found at any offset of source and target, also across the blocks that are read', () => {
  const source = noise('source', 5 * 1024 * 1024);
  const places = [0, 1, 65_521, 65_536, 4 * 1024 * 1024 - 7, 4 * 1024 * 1024 + 3, source.length - 16];
  const clean = noise('target', 5 * 1024 * 1024);
  // In two parts: some of them lie over each other.
  for (const part of [0, 1]) {
    const target = Buffer.from(clean);
    const runs = places
      .filter((_, index) => index % 2 === part)
      .map((from) => ({ from, to: target.length - 16 - from }));
    for (const { from, to } of runs) source.copy(target, to, from, from + 16);
    const search = findLeaks([file('source', source)], [file('target', target)]);
    assert.deepEqual(
      new Map(search.leaks.map((leak) => [leak.targetOffset, leak.run])),
      new Map(runs.map(({ from, to }) => [to, source.subarray(from, from + 16)])),
    );
  }
});

test('a run of 15 bytes is none', () => {
  const source = noise('source', 1000);
  const target = noise('target', 1000);
  source.copy(target, 500, 100, 115);
  assert.deepEqual(findLeaks([file('source', source)], [file('target', target)]).leaks, []);
});

test('a run with fewer than eight distinct bytes is left out, one with eight is not', () => {
  const seven = Buffer.from('abcdefgabcdefgab');
  const eight = Buffer.from('abcdefgabcdefgah');
  assert.equal(findLeaks([file('source', seven)], [file('target', seven)]).leaks.length, 0);
  assert.equal(findLeaks([file('source', eight)], [file('target', eight)]).leaks.length, 1);
});

test('a run that is in an exempt file too is counted, not reported', () => {
  const bytes = noise('header', 16);
  const search = findLeaks([file('source', bytes)], [file('target', bytes)], [file('exempt', bytes)]);
  assert.deepEqual([search.leaks.length, search.exempted], [0, 1]);
});

test('a file that was stored as it is gives up at the greatest number of leaks', () => {
  const bytes = noise('plain', 100_000);
  assert.equal(findLeaks([file('source', bytes)], [file('target', bytes)]).leaks.length, leaksMax);
});

test('files shorter than a run, and empty ones, hold none', () => {
  const search = findLeaks([file('source', Buffer.from('short')), file('empty', Buffer.alloc(0))], [folder]);
  assert.deepEqual(search.leaks, []);
});
