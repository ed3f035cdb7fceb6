import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCbor } from '../../base/cbor.ts';
import { fakeSignature, memberId, metadataKey } from '../../testing/log-fixture.ts';
import { rootNode, trashNode } from '../node-id.ts';
import { createRecord, decodeRecord, noRecord, openRecord, signedMessage } from './log-record.ts';
import { decodeOperations, encodeOperations, type Operation } from './operations.ts';

const clock = { ms: 1_700_000_000_000, counter: 2 };
const node = new Uint8Array(16).fill(5);
const operations: readonly Operation[] = [
  { op: 'place', clock, node, parent: rootNode, name: 'ä' },
  {
    op: 'content',
    clock,
    node,
    kind: 'file',
    mode: 0o644,
    mtimeMs: -5,
    size: 2,
    content: { depth: 0, inline: new Uint8Array([1, 2]) },
    basis: [{ clock, author: memberId(2) }],
  },
  {
    op: 'content',
    clock,
    node,
    kind: 'symlink',
    mode: 0o777,
    mtimeMs: 0,
    size: 0,
    target: '../x',
    basis: [],
  },
  { op: 'content', clock, node, kind: 'directory', mode: 0o755, mtimeMs: 0, size: 0, basis: [] },
];

function record(list = operations) {
  const author = memberId(1);
  const fields = { author, seq: 3, prev: noRecord, epoch: 1, operations: list };
  const keys = { metadataKey, nonce: new Uint8Array(12).fill(9) };
  return createRecord(fields, keys, (message) => fakeSignature(author, message));
}

test('a record opens to the operations that it was made of', () => {
  const made = record();
  const read = decodeRecord(made.body);
  assert.deepEqual(read, made);
  assert.deepEqual(openRecord(read, metadataKey), operations);
  assert.deepEqual(read.signature, fakeSignature(memberId(1), signedMessage(read.signed)));
});

test('another key, another author or another number opens nothing', () => {
  const made = record();
  for (const changed of [{ author: memberId(2) }, { seq: 4 }]) {
    assert.throws(() => openRecord({ ...made, ...changed }, metadataKey), { code: 'LOG_RECORD_INVALID' });
  }
  assert.throws(() => openRecord(made, new Uint8Array(32)), { code: 'LOG_RECORD_INVALID' });
});

test('a newer version is refused as such', () => {
  const signed = encodeCbor({ v: 2 });
  assert.throws(() => decodeRecord(encodeCbor([signed, new Uint8Array(64)])), {
    code: 'LOG_VERSION_UNKNOWN',
  });
});

test('arbitrary and damaged bytes are refused with a code', () => {
  const { body } = record();
  const damaged = fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
    const copy = new Uint8Array(body);
    copy[at] = copy[at]! ^ by;
    return copy;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 99 }), damaged), (bytes) => {
      try {
        const read = decodeRecord(bytes);
        assert.notDeepEqual([read.signed, read.signature], [record().signed, record().signature]);
      } catch (error) {
        assert.match((error as { code: string }).code, /^LOG_(RECORD_INVALID|VERSION_UNKNOWN)$/);
      }
    }),
  );
});

test('commits that do not fit a record are refused before they are written', () => {
  const inline = new Uint8Array(4096);
  const content = { ...operations[1]!, size: 4096, content: { depth: 0, inline } } as Operation;
  assert.throws(() => record(new Array(300).fill(content)), { code: 'COMMIT_TOO_LARGE' });
});

test('operations with impossible fields are refused', () => {
  const [place, file, link, directory] = operations;
  for (const bad of [
    { ...place, name: '..' },
    { ...place, name: 'a/b' },
    { ...place, node: new Uint8Array(15) },
    { ...place, node: rootNode },
    { ...place, node: trashNode },
    { ...directory, node: rootNode },
    { ...directory, node: trashNode },
    { ...file, size: 3 },
    { ...file, mode: 0o10000 },
    { ...file, content: { depth: 1, chunks: new Uint8Array(71) } },
    { ...file, mtimeMs: 0.5 },
    { ...link, target: 'a\0b' },
    { ...directory, size: 1 },
  ]) {
    const code = /^(LOG_RECORD|CBOR|CONTENT)_INVALID$/;
    assert.throws(
      () => decodeOperations(encodeOperations([bad as Operation])),
      { code },
      JSON.stringify(bad),
    );
  }
});
