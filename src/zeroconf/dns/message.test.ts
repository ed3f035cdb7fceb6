import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, fromHex, toHex, utf8 } from '../../base/bytes.ts';
import { decodeMessage } from './decoder.ts';
import { encodeMessage, encodePackets, uncompressedData } from './encoder.ts';
import { type Message, query, type RecordData, type ResourceRecord, response } from './message.ts';
import { labelBytes, labelOf, nameKey, sameName } from './name.ts';

/** Records with the prototype that object literals have. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const labels = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map(labelOf)
  .filter((label) => labelBytes(label).length <= 63);
const names = fc.array(labels, { maxLength: 6 });
const strings = fc.uint8Array({ maxLength: 40 });
const uint16 = fc.nat(0xffff);
const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.'));
const data: fc.Arbitrary<RecordData> = fc.oneof(
  plain({ kind: fc.constant('a' as const), address: ipv4 }),
  plain({
    kind: fc.constant('aaaa' as const),
    address: fc.constantFrom('::', '::1', 'fe80::1:0:0:2', 'fd00::a'),
  }),
  plain({ kind: fc.constant('ptr' as const), target: names }),
  plain({
    kind: fc.constant('srv' as const),
    priority: uint16,
    weight: uint16,
    port: uint16,
    target: names,
  }),
  plain({
    kind: fc.constant('txt' as const),
    strings: fc.array(strings, { minLength: 1, maxLength: 3 }),
  }),
  plain({ kind: fc.constant('hinfo' as const), cpu: strings, os: strings }),
  plain({
    kind: fc.constant('nsec' as const),
    next: names,
    types: fc.uniqueArray(uint16, { maxLength: 5 }).map((types) => types.sort((a, b) => a - b)),
  }),
  plain({ kind: fc.constant('opaque' as const), type: fc.constantFrom(41, 99, 65_280), bytes: strings }),
);
const records: fc.Arbitrary<ResourceRecord> = plain({
  name: names,
  class: fc.nat(0x7fff),
  cacheFlush: fc.boolean(),
  ttlSeconds: fc.nat(0xffff_ffff),
  data,
});
const messages: fc.Arbitrary<Message> = plain({
  id: uint16,
  response: fc.boolean(),
  opcode: fc.nat(15),
  authoritative: fc.boolean(),
  truncated: fc.boolean(),
  rcode: fc.nat(15),
  questions: fc.array(
    plain({ name: names, type: uint16, class: fc.nat(0x7fff), unicastResponse: fc.boolean() }),
    { maxLength: 3 },
  ),
  answers: fc.array(records, { maxLength: 4 }),
  authorities: fc.array(records, { maxLength: 2 }),
  additionals: fc.array(records, { maxLength: 2 }),
});

test('what was encoded decodes to the same, with names shortened or not', () => {
  fc.assert(
    fc.property(messages, fc.constantFrom('multicast', 'legacy', 'none'), (message, compression) => {
      assert.deepEqual(decodeMessage(encodeMessage(message, compression)), message);
    }),
    { numRuns: 300 },
  );
});

test('arbitrary bytes, and messages with bytes changed, decode or are DNS_MALFORMED', () => {
  const changed = fc
    .tuple(messages, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat())
    .map(([message, changes, cut]) => {
      const bytes = encodeMessage(message);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes.subarray(0, bytes.length - (cut % 5));
    });
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        decodeMessage(bytes);
      } catch (error) {
        assert.equal((error as { code: string }).code, 'DNS_MALFORMED');
      }
    }),
    { numRuns: 2000 },
  );
});

test('a pointer to itself, forwards or in a circle is malformed, not an endless loop', () => {
  const header = '000000000001000000000000';
  for (const question of [
    'c00c000c0001',
    'c00e000c0001',
    'c0ff000c0001',
    '0161c00c000c0001',
    '0161c00e000c0001',
  ]) {
    assert.throws(() => decodeMessage(fromHex(header + question)!), { code: 'DNS_MALFORMED' }, question);
  }
});

test('a long chain of pointers, each strictly backwards, ends as malformed', () => {
  const chain: number[] = [0];
  for (let index = 0; index < 500; index++) {
    const target = 12 + 11 + (index === 0 ? 0 : 1 + (index - 1) * 2);
    chain.push(0xc0 | (target >> 8), target & 0xff);
  }
  const header = fromHex('000084000000000200000000')!;
  const last = 12 + 11 + chain.length - 2;
  const opaque = [0, 0xff, 0x00, 0, 1, 0, 0, 0, 0, chain.length >> 8, chain.length & 0xff];
  const bytes = Uint8Array.from([...header, ...opaque, ...chain, 0xc0 | (last >> 8), last & 0xff]);
  assert.throws(() => decodeMessage(bytes), { code: 'DNS_MALFORMED' });
});

test('labels over 63 bytes, names over 255, reserved label kinds and impossible counts are malformed', () => {
  const header = '000000000001000000000000';
  const long = Array.from({ length: 130 }, () => '0161').join('');
  for (const hex of [
    `${header}40`,
    `${header}${long}0000010001`,
    '0000000000ffffffffffffffff',
    `${header}80`,
  ]) {
    assert.throws(() => decodeMessage(fromHex(hex)!), { code: 'DNS_MALFORMED' });
  }
  assert.throws(() => encodeMessage(query({ questions: [question(['a'.repeat(64)])] })), {
    code: 'DNS_MALFORMED',
  });
  assert.throws(() => encodeMessage(query({ questions: [question(Array(5).fill('a'.repeat(60)))] })), {
    code: 'DNS_MALFORMED',
  });
});

test('record data that is longer or shorter than its length is malformed', () => {
  const record = (rdata: string, type = '0001') => {
    const length = (rdata.length / 2).toString(16).padStart(4, '0');
    return fromHex(`000084000000000100000000${'016100'}${type}000100000078${length}${rdata}`)!;
  };
  assert.deepEqual(decodeMessage(record('0a000001')).answers[0]!.data, { kind: 'a', address: '10.0.0.1' });
  for (const bytes of [
    record('0a0000'),
    record('0a00000102'),
    record('05616263', '0010'),
    record('0000', '002f'),
  ]) {
    assert.throws(() => decodeMessage(bytes), { code: 'DNS_MALFORMED' });
  }
});

test('an instance name with dots stays one label, and an empty TXT record is one zero byte', () => {
  const record: ResourceRecord = {
    name: ['Mr. Box', '_http', '_tcp', 'local'],
    class: 1,
    cacheFlush: true,
    ttlSeconds: 4500,
    data: { kind: 'txt', strings: [] },
  };
  const bytes = encodeMessage(response({ answers: [record] }));
  assert.ok(toHex(bytes).includes('074d722e20426f78055f68747470'));
  assert.ok(toHex(bytes).endsWith('000100'));
  assert.deepEqual(decodeMessage(bytes).answers[0]!.name, record.name);
});

test('names are compared without ASCII case, other characters as they are (RFC 6762 §16)', () => {
  assert.ok(sameName(['Box', 'LOCAL'], ['bOX', 'local']));
  assert.ok(!sameName(['É'], ['é']));
  assert.notEqual(nameKey(['a', 'b']), nameKey(['a1.b']));
});

test('data for comparison is written out whole', () => {
  const srv: RecordData = { kind: 'srv', priority: 0, weight: 0, port: 80, target: ['a', 'a'] };
  assert.equal(toHex(uncompressedData(srv)), '0000000000500161016100');
});

test('M26: answers that do not fit one packet go on in the next, additionals fill what is left', () => {
  const answer = (index: number, size: number): ResourceRecord => ({
    name: [`n${index}`, 'local'],
    class: 1,
    cacheFlush: true,
    ttlSeconds: 120,
    data: { kind: 'txt', strings: chunks(size) },
  });
  const answers = [answer(1, 800), answer(2, 800), answer(3, 3000), answer(4, 100)];
  const packets = encodePackets(response({ answers, additionals: [answer(5, 2000), answer(6, 10)] }), 1440);
  assert.deepEqual(
    packets.map((packet) => decodeMessage(packet).answers.map((record) => record.name[0])),
    [['n1'], ['n2'], ['n3'], ['n4']],
  );
  assert.deepEqual(
    decodeMessage(packets[3]!).additionals.map((record) => record.name[0]),
    ['n6'],
  );
  for (const packet of packets) {
    const { id, opcode, rcode, authoritative, truncated } = decodeMessage(packet);
    assert.deepEqual(
      { id, opcode, rcode, authoritative, truncated },
      { id: 0, opcode: 0, rcode: 0, authoritative: true, truncated: false },
    );
  }
  const known = encodePackets(query({ questions: [question(['x'])], answers: answers.slice(0, 2) }), 1440);
  assert.deepEqual(
    known.map((packet) => decodeMessage(packet).truncated),
    [true, false],
  );
});

function question(name: string[]) {
  return { name, type: 12, class: 1, unicastResponse: false };
}

function chunks(size: number): Bytes[] {
  return Array.from({ length: Math.ceil(size / 200) }, () => utf8('x'.repeat(200)));
}
