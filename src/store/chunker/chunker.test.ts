import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../base/bytes.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { Chunker, type ChunkerParameters, cutMasks, defaultChunkerParameters } from './chunker.ts';

/** FastCDC as the paper writes it (algorithm 1), a byte at a time. */
function oracle(bytes: Bytes, table: Uint32Array, parameters: ChunkerParameters): number[] {
  const { strict, loose } = cutMasks(parameters);
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const limit = Math.min(bytes.length, start + parameters.maxBytes);
    let end = limit;
    let hash = 0;
    for (let at = start + parameters.minBytes; at < limit; at++) {
      hash = ((hash << 1) + table[bytes[at]!]!) | 0;
      if ((hash & (at < start + parameters.averageBytes ? strict : loose)) === 0) {
        end = at + 1;
        break;
      }
    }
    ends.push(end);
    start = end;
  }
  return ends;
}

/** Ends found when the bytes come in pieces, as a file is read. */
function cutInPieces(chunker: Chunker, bytes: Bytes, pieceBytes: (filled: number) => number): number[] {
  const ends: number[] = [];
  let filled = 0;
  let consumed = 0;
  for (let offset = 0; ; ) {
    const piece = bytes.subarray(offset, offset + pieceBytes(filled));
    chunker.window.set(piece, filled);
    filled += piece.length;
    offset += piece.length;
    const last = offset === bytes.length;
    const found = chunker.cut(filled, last);
    for (const end of found) ends.push(consumed + end);
    if (last) return ends;
    const done = found.at(-1) ?? 0;
    chunker.window.copyWithin(0, done, filled);
    filled -= done;
    consumed += done;
  }
}

function tableOf(seed: number): Uint32Array {
  return new Uint32Array(new SeededEntropy(seed).bytes(1024).buffer);
}

test('cuts where the plain loop of the paper cuts, for any sizes and any splits of the input', () => {
  const parameters = fc
    .record({ bits: fc.integer({ min: 4, max: 14 }), below: fc.double({ min: 0, max: 1, noNaN: true }) })
    .chain(({ bits, below }) =>
      fc.integer({ min: 0, max: 3 * 2 ** bits }).map((above) => ({
        minBytes: 1 + Math.floor(below * (2 ** bits - 1)),
        averageBytes: 2 ** bits,
        maxBytes: 2 ** bits + above,
      })),
    );
  fc.assert(
    fc.property(parameters, fc.nat(), fc.nat(60_000), fc.nat(255), (sizes, seed, length, values) => {
      const entropy = new SeededEntropy(seed);
      // Few distinct values make runs, which no hash cuts.
      const bytes = entropy.bytes(length).map((byte) => byte % (values + 1));
      const table = tableOf(seed + 1);
      const expected = oracle(bytes, table, sizes);
      const chunker = new Chunker(table, sizes);
      const pieces = cutInPieces(chunker, bytes, () => 1 + entropy.below(9000));
      assert.deepEqual(pieces, expected);
      chunker.window.set(bytes);
      assert.deepEqual(chunker.cut(length, true), expected);
    }),
    { numRuns: 150 },
  );
});

test('default chunks keep to their sizes, are 64 KiB or so on average, and survive an insertion', () => {
  const bytes = new SeededEntropy(3).bytes(12 * 1024 * 1024);
  const table = tableOf(4);
  const whole = (data: Bytes) => cutInPieces(new Chunker(table), data, (filled) => 4 * 1024 * 1024 - filled);
  const ends = whole(bytes);
  assert.deepEqual(ends, oracle(bytes, table, defaultChunkerParameters));
  const sizes = ends.map((end, index) => end - (ends[index - 1] ?? 0));
  const { minBytes, averageBytes, maxBytes } = defaultChunkerParameters;
  assert.ok(sizes.slice(0, -1).every((size) => size > minBytes && size <= maxBytes));
  const average = bytes.length / sizes.length;
  assert.ok(average > averageBytes * 0.8 && average < averageBytes * 1.4, String(average));
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const common = new Set(ends.map((end) => end + 1));
  const kept = whole(shifted).filter((end) => common.has(end)).length;
  assert.ok(kept > ends.length * 0.95, `${kept} of ${ends.length}`);
});

test('another table cuts elsewhere', () => {
  const bytes = new SeededEntropy(3).bytes(2 * 1024 * 1024);
  const ends = [1, 2].map((seed) => {
    const chunker = new Chunker(tableOf(seed));
    chunker.window.set(bytes);
    return chunker.cut(bytes.length, true);
  });
  const common = ends[0]!.filter((end) => ends[1]!.includes(end));
  assert.deepEqual(common, [bytes.length]);
});

test('an empty input has no chunk, one below the minimum is one chunk', () => {
  const chunker = new Chunker(tableOf(1));
  assert.deepEqual(chunker.cut(0, true), []);
  assert.deepEqual(chunker.cut(5, true), [5]);
  assert.deepEqual(chunker.cut(5, false), []);
});

test('sizes that cannot work are refused', () => {
  for (const [minBytes, averageBytes, maxBytes] of [
    [0, 1024, 2048],
    [2048, 1024, 4096],
    [512, 1000, 4096],
    [512, 1024, 512],
    [512, 1024, 3 * 1024 * 1024],
    [1, 8, 16],
  ] as const) {
    assert.throws(() => new Chunker(tableOf(1), { minBytes, averageBytes, maxBytes }), {
      code: 'CHUNKER_PARAMETERS_INVALID',
    });
  }
});
