import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { askOne, host, httpType, instance, neighbour } from '../../testing/publisher-run.ts';
import { QuerierRun } from '../../testing/querier-run.ts';
import { encodeMessage } from '../dns/encoder.ts';
import { type Message, query, type ResourceRecord, recordType, response } from '../dns/message.ts';
import { lookUp } from './cache.ts';
import { sharedRecord, uniqueRecord } from './records.ts';

const pointer = sharedRecord(httpType, 4500, { kind: 'ptr', target: instance });
const srv = uniqueRecord(instance, 120, { kind: 'srv', priority: 0, weight: 0, port: 80, target: host });
const txt = uniqueRecord(instance, 4500, { kind: 'txt', strings: [utf8('a=1')] });
const a = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.1' });
const aaaa = uniqueRecord(host, 120, { kind: 'aaaa', address: 'fe80::1' });
const goodbye = (record: ResourceRecord) => ({ ...record, ttlSeconds: 0 });

test('M27: the first question after 20–120 ms, then after 1 s, 2 s, 4 s, at most every hour', () => {
  for (const [draw, firstMs] of [
    [0, 20],
    [0.5, 70],
  ] as const) {
    const run = new QuerierRun({ draw });
    run.runTo(20_000);
    assert.deepEqual(
      run.sent.map(({ atMs }) => atMs - firstMs),
      [0, 1000, 3000, 7000, 15_000],
    );
    run.runTo(24 * 3_600_000);
    const [last, before] = [run.sent.at(-1)!, run.sent.at(-2)!];
    assert.equal(last.atMs - before.atMs, 3_600_000);
  }
});

test('M27: a record is asked for again at 80, 85, 90 and 95% of its lifetime, up to 2% later, then it is gone', () => {
  for (const [draw, laterMs] of [
    [0, 0],
    [0.5, 1200],
  ] as const) {
    const run = new QuerierRun({ draw });
    run.hear(response({ answers: [pointer, srv, txt, a, aaaa] }));
    run.runTo(119_000);
    const renewals = run.asked().filter((line) => line.startsWith('33 '));
    assert.deepEqual(
      renewals,
      [96_000, 102_000, 108_000, 114_000].map((atMs) => `33 at ${atMs + laterMs}`),
    );
    assert.ok(run.has(srv));
    run.runTo(120_000);
    assert.ok(!run.has(srv));
  }
});

test('M27: a record heard again lives on without more questions', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer, srv, txt, a, aaaa] }));
  run.runTo(97_000);
  run.hear(response({ answers: [srv, a, aaaa] }));
  run.sent.length = 0;
  run.runTo(180_000);
  assert.ok(run.has(srv));
  assert.deepEqual(
    run.asked().filter((line) => line.startsWith('33 ')),
    [],
  );
});

test('M27: what the browsed type leads to is asked for when it did not come along, and only then', () => {
  const run = new QuerierRun();
  run.runTo(30);
  run.asked();
  run.hear(response({ answers: [pointer] }));
  run.runTo(60);
  assert.deepEqual(run.asked(), ['33 at 50', '16 at 50']);
  run.hear(response({ answers: [srv, txt], additionals: [a] }));
  run.runTo(100);
  assert.deepEqual(run.asked(), ['28 at 80']);
  run.hear(
    response({ answers: [uniqueRecord(host, 120, { kind: 'nsec', next: host, types: [recordType.a] })] }),
  );
  run.runTo(60_000);
  assert.ok(run.asked().every((line) => line.startsWith('12 ')));
});

test('M11: a question carries what is known for at least half its lifetime more', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer, srv, txt, a, aaaa] }));
  run.runTo(20);
  const [known] = run.sent[0]!.message.answers;
  assert.deepEqual(known, { ...pointer, ttlSeconds: 4499 });
  run.runTo(4_400_000);
  assert.deepEqual(run.sent.at(-1)!.message.answers, []);
});

test('M11, M19: of a unique set nothing is said to be known, and no known answer has the cache-flush bit', () => {
  const run = new QuerierRun();
  const lasting = { ...a, ttlSeconds: 4500, data: { kind: 'a', address: '10.0.0.2' } } as const;
  run.hear(response({ answers: [pointer, srv, txt, { ...a, ttlSeconds: 10 }, lasting, aaaa] }));
  run.runTo(30_000);
  assert.ok(run.sent.some(({ message }) => message.questions.some(({ type }) => type === recordType.a)));
  for (const { message } of run.sent) {
    assert.ok(message.answers.every(({ data, cacheFlush }) => data.kind === 'ptr' && !cacheFlush));
  }
});

test('RFC 6762 §10.2: of a unique set the record heard last counts, also one that was heard before', () => {
  const run = new QuerierRun();
  const other = { ...txt, data: { kind: 'txt', strings: [utf8('a=2')] } } as const;
  run.hear(response({ answers: [pointer, srv, txt, a] }));
  run.runTo(300);
  run.hear(response({ answers: [other] }));
  const { edition } = run.state.cache;
  run.runTo(600);
  run.hear(response({ answers: [txt] }));
  assert.deepEqual(lookUp(run.state.cache, instance, recordType.txt).at(-1)!.record, txt);
  assert.notEqual(run.state.cache.edition, edition);
});

test('M20: a question that somebody else asks, knowing no more than we do, counts as ours', () => {
  const run = new QuerierRun();
  run.hear(askOne(httpType, recordType.ptr));
  run.runTo(900);
  assert.deepEqual(run.sent, []);
  run.hear(askOne(httpType, recordType.ptr, [pointer]));
  run.runTo(1000);
  assert.deepEqual(run.asked(), ['12 at 1000']);
});

test('M24: a goodbye is kept for one second', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer, srv, txt, a] }));
  run.runTo(5000);
  run.hear(response({ answers: [goodbye(pointer)] }));
  run.runTo(5999);
  assert.ok(run.has(pointer));
  run.runTo(6000);
  assert.ok(!run.has(pointer));
});

test('M24: a record that comes back within that second stays', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer] }));
  run.hear(response({ answers: [goodbye(pointer)] }));
  run.runTo(500);
  run.hear(response({ answers: [pointer] }));
  run.runTo(5000);
  assert.ok(run.has(pointer));
});

test('RFC 6762 §10.2: a unique record flushes what was said of its name and type more than a second ago', () => {
  const second = { ...a, data: { kind: 'a', address: '10.0.0.2' } } as const;
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer, srv, a] }));
  run.runTo(500);
  run.hear(response({ answers: [second] }));
  run.runTo(3000);
  assert.equal(lookUp(run.state.cache, host, recordType.a).length, 2);
  run.hear(response({ answers: [second] }));
  run.runTo(4100);
  assert.deepEqual(
    lookUp(run.state.cache, host, recordType.a).map(({ record }) => record.data),
    [second.data],
  );
});

test('M30: responses from another port than 5353, and records that lead nowhere, are not kept', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer] }), { ...neighbour, port: 40_000 });
  run.hear(response({ answers: [srv, txt, a] }));
  run.hear(query({ answers: [pointer] }));
  assert.equal(run.state.cache.size, 0);
});

test('a flood of instances fills neither the cache nor the network', () => {
  const run = new QuerierRun();
  for (let packet = 0; packet < 50; packet++) {
    const answers = Array.from({ length: 100 }, (_, index) =>
      sharedRecord(httpType, 4500, { kind: 'ptr', target: [`${packet}-${index}`, ...httpType] }),
    );
    run.hear(response({ answers }));
  }
  assert.equal(run.state.cache.size, 256);
  run.runTo(20);
  // SRV and TXT of each instance, and the type's own question; each packet within what Ethernet carries.
  assert.equal(run.sent.flatMap(({ message }) => message.questions).length, 513);
  const isWhole = ({ message }: { message: Message }) => encodeMessage(message).length <= 1440;
  assert.ok(run.sent.filter(({ message }) => message.answers.length === 0).every(isWhole));
  // There is room left for what the first of them lead to.
  const [first] = run.state.wanted.instances;
  run.hear(response({ answers: [{ ...srv, name: first! }, { ...txt, name: first! }, a] }));
  assert.ok(run.has(a));
});
