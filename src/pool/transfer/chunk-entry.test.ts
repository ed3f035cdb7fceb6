import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concat, copyOf, sizeOf } from '../../base/bytes.ts';
import { framePayloadBytesMax, sealedChunkBytesMax } from '../../base/limits.ts';
import {
  decodeEntries,
  encodeEntries,
  entryBytes,
  entryHeaderBytes,
  entryIn,
  layOutEntry,
  requestsOf,
} from './chunk-entry.ts';

const sizes = [1, 7, 8, 9, 1000];
const chunks = sizes.map((size, index) => ({
  id: new Uint8Array(32).fill(index + 1),
  body: new Uint8Array(size).fill(100 + index),
}));

/** The chunks as a sealing thread leaves them: entries end to end in one memory, whose old content shows through. */
function laidOut() {
  const memory = new Uint8Array(sizes.reduce((sum, size) => sum + entryBytes(size), 0)).fill(255);
  let offset = 0;
  return chunks.map(({ id, body }) => {
    const entry = memory.subarray(offset, offset + entryBytes(body.length));
    offset += entry.length;
    entry.set(body, entryHeaderBytes);
    layOutEntry(entry, id, body.length);
    return entryIn(entry, body.length);
  });
}

const plain = (payload: Bytes) => decodeEntries(payload).map(({ id, body }) => ({ id, body }));

test('entries come back as they were, laid out beforehand or not, in the same bytes', () => {
  const payload = concat(encodeEntries(chunks));
  assert.deepEqual(plain(payload), chunks);
  assert.deepEqual(concat(encodeEntries(laidOut())), payload);
  assert.equal(payload.length % 8, 0);
});

test('entries that stand end to end are one part, and a gap makes two', () => {
  const all = laidOut();
  assert.equal(encodeEntries(all).length, 1);
  const some = all.filter((_, index) => index !== 2);
  assert.equal(encodeEntries(some).length, 2);
  assert.deepEqual(
    plain(concat(encodeEntries(some))),
    chunks.filter((_, index) => index !== 2),
  );
});

test('a payload that is cut anywhere, empty, or with a length that lies is PAYLOAD_INVALID', () => {
  const payload = concat(encodeEntries(chunks));
  const borders = new Set(sizes.map((_, count) => sizeOf(encodeEntries(chunks.slice(0, count + 1)))));
  for (let length = 0; length < payload.length; length++) {
    if (borders.has(length)) continue;
    assert.throws(() => decodeEntries(payload.subarray(0, length)), { code: 'PAYLOAD_INVALID' }, `${length}`);
  }
  for (const length of [0, 0xffffffff]) {
    const lying = copyOf(payload);
    new DataView(lying.buffer).setUint32(32, length);
    assert.throws(() => decodeEntries(lying), { code: 'PAYLOAD_INVALID' });
  }
});

test('requests hold as many chunks as fit a frame, and the largest chunk fits one', () => {
  const largest = { id: new Uint8Array(32), body: new Uint8Array(sealedChunkBytesMax) };
  const small = { id: new Uint8Array(32), body: new Uint8Array(100_000) };
  const list = [largest, ...Array.from({ length: 25 }, () => small), largest];
  const requests = requestsOf(list, (chunk) => chunk);
  assert.deepEqual(
    requests.map(({ length }) => length),
    [1, 10, 10, 5, 1],
  );
  for (const request of requests) assert.ok(sizeOf(encodeEntries(request)) <= framePayloadBytesMax);
  assert.deepEqual(
    requestsOf([], (chunk: typeof small) => chunk),
    [],
  );
});
