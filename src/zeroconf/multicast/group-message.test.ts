import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { groupPacketBytesMax } from '../../base/discovery-limits.ts';
import {
  type GroupHeader,
  type GroupKeyring,
  type GroupMessage,
  groupSummaryBytesMax,
  maskSession,
  openGroupMessage,
  sealGroupMessage,
  senderNamesOf,
  sessionKeyOf,
} from './group-message.ts';

const groupKey = new Uint8Array(32).fill(1);
const memberId = new Uint8Array(32).fill(2);
const session = new Uint8Array(16).fill(3);
const key = sessionKeyOf(groupKey, memberId, session);
const names = senderNamesOf(groupKey, memberId);
const header: GroupHeader = { tag: names.tag, session: maskSession(session, names), counter: 258 };
const message: GroupMessage = {
  kind: 'heartbeat',
  port: 4270,
  freeGiB: 1800,
  summary: new Uint8Array([9, 8, 7]),
};
const keyring: GroupKeyring = ({ tag }) => (tag === header.tag ? key : 'stranger');

function open(bytes: Bytes) {
  return openGroupMessage(keyring, bytes);
}

test('what is sealed opens to the same, whatever it says', () => {
  fc.assert(
    fc.property(
      fc.record({
        kind: fc.constantFrom('heartbeat' as const, 'change' as const),
        port: fc.integer({ min: 0, max: 65_535 }),
        freeGiB: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        summary: fc.uint8Array({ maxLength: groupSummaryBytesMax }),
      }),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      (said, counter) => {
        const sealed = sealGroupMessage(key, { ...header, counter }, said);
        assert.ok(sealed.length <= groupPacketBytesMax);
        assert.deepEqual(open(sealed), { header: { ...header, counter }, message: { ...said } });
      },
    ),
  );
});

test('the bytes of a packet never change: boxes of two releases hear each other', () => {
  const sealed = sealGroupMessage(key, header, message);
  assert.equal(sealed.length, 31 + 128 + 16);
  assert.equal(toHex(sealed.subarray(0, 31)), `01${header.tag}${toHex(header.session)}000000000102`);
  assert.equal(header.tag, 'c0ae442bf57ad4cf');
  assert.equal(toHex(header.session), `e161bdb5177e${'03'.repeat(10)}`);
  assert.equal(createHash('sha256').update(sealed).digest('hex').slice(0, 16), '565d50a250c6d69a');
});

test('a packet shows nothing of the member id, the pool or the kind, and its length only steps of 128', () => {
  const sealed = (changes: Partial<GroupMessage>) =>
    sealGroupMessage(key, header, { ...message, ...changes });
  assert.equal(sealed({}).length, sealed({ kind: 'change', summary: new Uint8Array(100) }).length);
  assert.equal(sealed({ summary: new Uint8Array(120) }).length, sealed({}).length + 128);
  assert.ok(!toHex(sealed({})).includes(toHex(memberId.subarray(0, 4))));
  assert.notDeepEqual(sealed({}).subarray(9, 15), session.subarray(0, 6));
  assert.notEqual(senderNamesOf(new Uint8Array(32).fill(9), memberId).tag, header.tag);
});

test('one changed bit anywhere, or one byte less or more, is no packet of the sender', () => {
  const sealed = sealGroupMessage(key, header, message);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = new Uint8Array(sealed);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    const refusal = bit < 8 ? 'foreign' : bit < 72 ? 'stranger' : 'forged';
    assert.equal(open(changed).refusal, refusal, `bit ${bit}`);
  }
  assert.ok(open(sealed.subarray(0, -1)).refusal);
  assert.ok(open(new Uint8Array([...sealed, 0])).refusal);
});

test('another epoch, another sender, another session and another counter have other keys or nonces', () => {
  const keys = [
    key,
    sessionKeyOf(new Uint8Array(32).fill(9), memberId, session),
    sessionKeyOf(groupKey, new Uint8Array(32).fill(9), session),
    sessionKeyOf(groupKey, memberId, new Uint8Array(16).fill(9)),
  ];
  assert.equal(new Set(keys.map(toHex)).size, keys.length);
  const bodies = [0, 1, 2 ** 32, 2 ** 48 - 1].map((counter) =>
    toHex(sealGroupMessage(key, { ...header, counter }, message).subarray(31)),
  );
  assert.equal(new Set(bodies).size, bodies.length);
});

/** A packet made by the table of docs/formats.md §10, not by the code under test. */
function sealByTheTable(body: Bytes): Bytes {
  const clear = Buffer.from(`01${header.tag}${toHex(header.session)}000000000007`, 'hex');
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.from('000000000000000000000007', 'hex'));
  cipher.setAAD(clear);
  return new Uint8Array(Buffer.concat([clear, cipher.update(body), cipher.final(), cipher.getAuthTag()]));
}

test('a packet made by the table of the formats is understood, one of another kind or too long is not', () => {
  const body = new Uint8Array(128);
  body.set([2, 0x10, 0xae, 0, 0, 7, 8, 0, 3, 9, 8, 7]);
  const opened = open(sealByTheTable(body));
  assert.deepEqual(opened, {
    header: { ...header, counter: 7 },
    message: { kind: 'change', port: 4270, freeGiB: 1800, summary: new Uint8Array([9, 8, 7]) },
  });
  assert.equal(open(sealByTheTable(body.with(0, 3))).refusal, 'unknown');
  assert.equal(open(sealByTheTable(body.with(8, 120))).refusal, 'unknown');
  assert.equal(open(sealByTheTable(new Uint8Array(1280))).refusal, 'foreign');
});

test('any bytes are opened or refused, never thrown at; the keyring is not asked about what is no packet', () => {
  const bodies = fc.uint8Array({ minLength: 0, maxLength: 1400 });
  fc.assert(
    fc.property(bodies, fc.boolean(), fc.boolean(), (bytes, hasVersion, hasTag) => {
      if (hasVersion && bytes.length > 0) bytes[0] = 1;
      if (hasTag && bytes.length > 9) bytes.set(Buffer.from(header.tag, 'hex'), 1);
      const { refusal, header: read } = open(bytes);
      assert.ok(refusal === 'foreign' || refusal === 'stranger' || refusal === 'forged');
      assert.equal(read === undefined, refusal === 'foreign');
    }),
    { numRuns: 2000 },
  );
});

test('bytes that lie within a larger buffer are read where they lie', () => {
  const sealed = sealGroupMessage(key, header, message);
  const buffer = new Uint8Array(sealed.length + 20);
  buffer.set(sealed, 7);
  assert.deepEqual(open(buffer.subarray(7, 7 + sealed.length)), { header, message });
});
