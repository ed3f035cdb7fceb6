import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, fromHex, utf8 } from '../base/bytes.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { crc32c } from './crc32c.ts';

/** Bit by bit, as the definition says. */
function oracle(bytes: Bytes, seed = 0): number {
  let crc = ~seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

test('the known answers of RFC 3720 §B.4', () => {
  const rising = Uint8Array.from({ length: 32 }, (_, index) => index);
  const readCommand = fromHex(
    '01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000',
  )!;
  // The RFC prints the checksums as bytes on the wire, least significant first.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(rising), 0x46dd794e);
  assert.equal(crc32c(Uint8Array.from(rising).reverse()), 0x113fdb5c);
  assert.equal(crc32c(readCommand), 0xd9963a56);
  assert.equal(crc32c(utf8('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});

test('any bytes at any offset have the checksum of the definition', () => {
  const bytes = new SeededEntropy(1).bytes(20_000);
  const at = fc.integer({ min: 0, max: bytes.length });
  fc.assert(
    fc.property(at, at, fc.nat(0xffffffff), (a, b, seed) => {
      const part = bytes.subarray(Math.min(a, b), Math.max(a, b));
      assert.equal(crc32c(part, seed), oracle(part, seed));
    }),
  );
});

test('a checksum goes on where another ended, also over more than the window holds', () => {
  const bytes = new SeededEntropy(2).bytes(700_000);
  const whole = crc32c(bytes);
  assert.equal(whole, oracle(bytes));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (split) => {
      assert.equal(crc32c(bytes.subarray(split), crc32c(bytes.subarray(0, split))), whole);
    }),
    { numRuns: 20 },
  );
});
