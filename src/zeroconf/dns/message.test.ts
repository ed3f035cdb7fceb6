import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, fromHex, toHex, utf8 } from '../../base/bytes.ts';
import { decodeMessage, decodeWanted } from './decoder.ts';
import { encodeLegacyReply, encodeMessage, encodePackets, uncompressedData } from './encoder.ts';
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

test('a name that a pointer makes longer than 255 bytes is malformed, one of just 255 is not', () => {
  const tail = Array.from({ length: 4 }, () => `3b${'61'.repeat(59)}`).join('');
  const names = (length: number) => {
    const label = length.toString(16).padStart(2, '0') + '62'.repeat(length);
    return fromHex(`000000000002000000000000${tail}0000010001${label}c00c00010001`)!;
  };
  assert.equal(decodeMessage(names(13)).questions[1]!.name.length, 5);
  assert.throws(() => decodeMessage(names(14)), { code: 'DNS_MALFORMED' });
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
  for (const bytes of [record('0a0000'), record('0a00000102'), record('05616263', '0010')]) {
    assert.throws(() => decodeMessage(bytes), { code: 'DNS_MALFORMED' });
  }
});

test('M22: an NSEC record that makes no sense is carried as it is, and its message is heard (§6.1)', () => {
  const header = '000084000000000200000000';
  const nsec = (rdata: string) => {
    const length = (rdata.length / 2).toString(16).padStart(4, '0');
    return `016100002f8001000000780${length.slice(1)}${rdata}`;
  };
  const address = '0162000001800100000078000' + '40a000001';
  for (const rdata of ['0000', 'c0ff0000', '00000000', '00010140000140', '0000210000']) {
    const { answers } = decodeMessage(fromHex(header + nsec(rdata) + address)!);
    assert.deepEqual(
      answers.map(({ data }) => data.kind),
      ['opaque', 'a'],
      rdata,
    );
  }
  const [whole] = decodeMessage(fromHex(header + nsec('00000440000008') + address)!).answers;
  assert.deepEqual(whole!.data, { kind: 'nsec', next: [], types: [1, 28] });
  // A next name that is not the record's own is no reason to ignore the types.
  const [other] = decodeMessage(fromHex(header + nsec('016200000140') + address)!).answers;
  assert.deepEqual(other!.data, { kind: 'nsec', next: ['b'], types: [1] });
});

test('M26: what nobody wants is read only as far as its questions', () => {
  const bytes = encodeMessage(query({ questions: [question(['x'])], answers: [] }));
  bytes[7] = 1; // One answer is promised, and missing.
  assert.equal(
    decodeWanted(bytes, ({ questions }) => questions[0]!.name[0] !== 'x'),
    undefined,
  );
  assert.throws(() => decodeWanted(bytes, () => true), { code: 'DNS_MALFORMED' });
});

test('RFC 6763 §4.1.1, §6.1: an instance name with dots stays one label, an empty TXT record is one zero byte', () => {
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

test('M29: names are compared without ASCII case, other characters as they are (§16)', () => {
  assert.ok(sameName(['Box', 'LOCAL'], ['bOX', 'local']));
  assert.ok(!sameName(['É'], ['é']));
  assert.notEqual(nameKey(['a', 'b']), nameKey(['a1.b']));
});

test('M2: data for comparison is written out whole', () => {
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
});

test('M26: TC is set where known answers go on in the next packet, and nowhere else (§7.2)', () => {
  const truncated = (message: Message) =>
    encodePackets(message, 1440).map((packet) => decodeMessage(packet).truncated);
  const known = Array.from({ length: 3 }, (_, index) => textRecord(`n${index}`, 800));
  assert.deepEqual(truncated(query({ questions: [question(['x'])], answers: known })), [true, true, false]);
  const questions = Array.from({ length: 60 }, (_, index) => question([`${index}${'x'.repeat(40)}`]));
  assert.deepEqual(truncated(query({ questions })), [false, false, false]);
  assert.deepEqual(truncated(response({ answers: known })), [false, false, false]);
});

test('M26: of a unique set that does not fit beside the answers nothing is sent, not a part (§10.2)', () => {
  const set = [1, 2].map((port) => ({ ...textRecord('a', 200), data: address(`10.0.0.${port}`) }));
  const rest = textRecord('b', 200);
  const empty = encodeMessage(response({ answers: [rest] })).length;
  for (const [room, count] of [
    [20, 0],
    [400, 2],
  ] as const) {
    const [packet] = encodePackets(response({ answers: [rest], additionals: set }), empty + room);
    assert.equal(decodeMessage(packet!).additionals.length, count);
  }
});

test('M23: a reply to plain DNS is one packet, with TC when answers had to be left out', () => {
  const answers = Array.from({ length: 3 }, (_, index) => textRecord(`n${index}`, 800));
  const message = response({
    id: 7,
    questions: [question(['x'])],
    answers,
    additionals: [textRecord('y', 10)],
  });
  const whole = decodeMessage(encodeLegacyReply({ ...message, answers: answers.slice(0, 1) }, 1440));
  assert.deepEqual([whole.truncated, whole.answers.length, whole.additionals.length], [false, 1, 1]);
  const cut = decodeMessage(encodeLegacyReply(message, 1440));
  assert.deepEqual([cut.truncated, cut.answers.length, cut.additionals.length], [true, 1, 0]);
  const srv = { kind: 'srv', priority: 0, weight: 0, port: 1, target: ['x'] } as const;
  const named = { ...textRecord('x', 1), name: ['x'], data: srv };
  // In plain DNS the target of an SRV record is written out (§18.14).
  const bytes = encodeLegacyReply(response({ questions: [question(['x'])], answers: [named] }), 1440);
  assert.ok(toHex(bytes).endsWith('017800'));
});

function textRecord(label: string, size: number): ResourceRecord {
  const data = { kind: 'txt', strings: chunks(size) } as const;
  return { name: [label, 'local'], class: 1, cacheFlush: true, ttlSeconds: 120, data };
}

function address(text: string): RecordData {
  return { kind: 'a', address: text };
}

function question(name: string[]) {
  return { name, type: 12, class: 1, unicastResponse: false };
}

function chunks(size: number): Bytes[] {
  return Array.from({ length: Math.ceil(size / 200) }, () => utf8('x'.repeat(200)));
}
