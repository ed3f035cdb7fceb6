import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from './bytes.ts';
import { CborFields, decodeCbor, encodeCbor } from './cbor.ts';

test('map keys are sorted shortest first, so that one value has one encoding (RFC 8949 §4.2.1)', () => {
  assert.deepEqual(encodeCbor({ bb: 1, a: 2 }), encodeCbor({ a: 2, bb: 1 }));
});

test('what was encoded decodes to the same', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.string(),
      fc.array(tie('any'), { maxLength: 4 }),
    ),
  }));
  fc.assert(fc.property(value.any, (any) => assert.deepEqual(decodeCbor(encodeCbor(any as never)), any)));
});

test('indefinite lengths, trailing bytes, undefined, tags and longer integers are refused', () => {
  for (const hex of ['9fff', '0000', 'f7', 'c100', '1805', 'a2616101616102', '']) {
    assert.throws(() => decodeCbor(fromHex(hex)!), { code: 'CBOR_INVALID' }, hex);
  }
});

test('arbitrary bytes decode or are refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeCbor(bytes);
      } catch (error) {
        assert.equal((error as { code: string }).code, 'CBOR_INVALID');
      }
    }),
  );
});

test('a field that is missing or of another type is refused by name', () => {
  const fields = new CborFields({ size: -1, id: new Uint8Array(3) });
  assert.throws(() => fields.count('size'), /size/);
  assert.throws(() => fields.bytes('id', 32), /id: 32 bytes/);
  assert.throws(() => fields.text('name'), /name/);
});
