import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { decodeFinish, decodeStart, encodeFinish, encodeStart } from './wire.ts';

const exchange = new Uint8Array(16).fill(3);

test('requests come out as they went in, however long the sealed message is', () => {
  assert.deepEqual(decodeStart(encodeStart(new Uint8Array(96).fill(1))), new Uint8Array(96).fill(1));
  assert.deepEqual(decodeFinish(encodeFinish({ exchange })), { exchange });
  for (const size of [0, 23, 24, 300, 70_000, 1_000_000]) {
    const proven = { message: new Uint8Array(64).fill(2), sealed: new Uint8Array(size).fill(9) };
    assert.deepEqual(decodeFinish(encodeFinish({ exchange, proven })), { exchange, proven });
  }
});

test('lists, further maps and many fields are refused before they are decoded', () => {
  const lists = new Uint8Array(1_000_000).fill(0x80);
  const inside = encodeCbor({ v: 1, exchange, sealed: null, message: [] });
  const long = concat([new Uint8Array([0xa1, 0x61, 0x76, 0x9a, 0, 0x0f, 0x42, 0x40]), lists]);
  const many = encodeCbor({ v: 1, exchange, message: null, sealed: null, more: 1 });
  const behind = concat([encodeFinish({ exchange }), lists]);
  for (const payload of [
    lists,
    inside,
    long,
    many,
    behind,
    new Uint8Array(0),
    new Uint8Array([0xbf, 0xff]),
  ]) {
    assert.throws(
      () => decodeFinish(payload),
      (error: Error & { code: string }) => {
        // No decoder has seen it.
        return error.code === 'PAIRING_MESSAGE_INVALID' && error.cause === undefined;
      },
    );
  }
});
