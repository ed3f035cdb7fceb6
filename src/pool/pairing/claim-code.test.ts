import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { newCode, parseCode } from './claim-code.ts';

test('a code is 40 bits in Crockford’s base 32, as XXXX-XXXX', () => {
  const code = (bytes: number[]) => newCode({ bytes: () => Uint8Array.from(bytes) });
  assert.equal(code([0, 0, 0, 0, 0]), '0000-0000');
  assert.equal(code([255, 255, 255, 255, 255]), 'ZZZZ-ZZZZ');
  assert.equal(code([0, 0, 0, 0, 33]), '0000-0011');
  assert.equal(code([0b00001_000, 0b10_00011_0, 0b0100_0010, 0b1_00110_00, 0b111_01000]), '1234-5678');
});

test('every code that is made can be typed', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const code = newCode(new SeededEntropy(seed));
      assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
      assert.equal(parseCode(code), code);
      assert.equal(parseCode(` ${code.toLowerCase().replace('-', ' ')}\n`), code);
    }),
  );
});

test('letters that look like digits are read as digits', () => {
  assert.equal(parseCode('oOiI-lL00'), '0011-1100');
});

test('what has another length, or a symbol of no code, is none', () => {
  for (const typed of [
    '',
    '1234',
    '1234-567',
    '1234-56789',
    '1234-567U',
    '1234-567ß',
    '1234_5678',
    '1234-567é',
  ]) {
    assert.equal(parseCode(typed), undefined, typed);
  }
});
