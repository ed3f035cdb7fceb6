import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  askOne,
  boxGroups,
  host,
  httpType,
  instance,
  kindsOf,
  neighbour,
  PublisherRun,
} from '../../testing/publisher-run.ts';
import { query, type ResourceRecord, recordType, response } from '../dns/message.ts';
import { sharedRecord, uniqueRecord } from './records.ts';

const { a, aaaa, ptr, srv, txt, any } = recordType;
const pointer = (ttlSeconds: number) => sharedRecord(httpType, ttlSeconds, { kind: 'ptr', target: instance });

test('M9: unique answers are given at once', () => {
  for (const [name, type, kinds] of [
    [host, a, ['a']],
    [['BOX', 'LOCAL'], aaaa, ['aaaa']],
    [instance, srv, ['srv']],
    [instance, any, ['srv', 'txt']],
  ] as const) {
    const run = PublisherRun.announced();
    run.hear(askOne(name, type));
    const [sent] = run.within(0);
    assert.deepEqual(kindsOf(sent!.message.answers), kinds);
    assert.equal(sent!.to, undefined);
  }
});

test('M10: shared answers are given after 20 to 120 ms', () => {
  for (const [draw, delayMs] of [
    [0, 20],
    [0.5, 70],
    [0.999, 119.9],
  ] as const) {
    const run = PublisherRun.announced(boxGroups(), draw);
    run.hear(askOne(httpType, ptr));
    const [sent] = run.within(200);
    assert.equal(Math.round((sent!.atMs - 60_000) * 10) / 10, delayMs);
    assert.deepEqual(kindsOf(sent!.message.answers), ['ptr']);
  }
});

test('M11: an answer the asker knows is not given while at least half its lifetime is left', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr, [pointer(2250)]));
  assert.deepEqual(run.within(500), []);
  run.hear(askOne(httpType, ptr, [pointer(2249)]));
  assert.equal(run.within(500).length, 1);
});

test('M12: with TC set, the answer waits 400 to 500 ms for more known answers', () => {
  for (const [draw, delayMs] of [
    [0, 400],
    [0.5, 450],
  ] as const) {
    const run = PublisherRun.announced(boxGroups(), draw);
    run.hear({ ...askOne(httpType, ptr), truncated: true });
    assert.equal(run.within(600)[0]!.atMs, 60_000 + delayMs);
  }
  const run = PublisherRun.announced();
  run.hear({ ...askOne(httpType, ptr), truncated: true });
  run.runTo(run.now + 100);
  run.hear(query({ answers: [pointer(4500)] }), { ...neighbour, address: '10.0.0.77' });
  run.hear(query({ answers: [pointer(4500)] }));
  assert.deepEqual(run.within(1000), []);
  run.hear({ ...askOne(httpType, ptr), truncated: true });
  run.hear(query({ answers: [pointer(4500)] }), { ...neighbour, address: '10.0.0.77' });
  assert.equal(run.within(1000).length, 1);
});

test('M13: several questions in one packet get one answer after 20 to 120 ms, without what is known', () => {
  const run = PublisherRun.announced();
  const questions = [ask(httpType, ptr), ask(host, a), ask(instance, txt), ask(['nobody', 'local'], a)];
  run.hear(query({ questions, answers: [pointer(4500)] }));
  const sent = run.within(500);
  assert.equal(sent.length, 1);
  assert.equal(sent[0]!.atMs, 60_020);
  assert.deepEqual(kindsOf(sent[0]!.message.answers), ['a', 'txt']);
});

test('M14: answers that wait are sent together', () => {
  const run = PublisherRun.announced(boxGroups(), 0.5);
  run.hear(askOne(httpType, ptr));
  run.runTo(run.now + 40);
  run.hear(askOne(['_services', '_dns-sd', '_udp', 'local'], ptr));
  const sent = run.within(500);
  assert.equal(sent.length, 1);
  assert.deepEqual(kindsOf(sent[0]!.message.answers), ['ptr', 'ptr']);
});

test('M17, RFC 6763 §12.1, §12.2: PTR brings SRV, TXT and addresses along, SRV the addresses, nothing twice', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr));
  assert.deepEqual(kindsOf(run.within(500)[0]!.message.additionals), ['a', 'aaaa', 'srv', 'txt']);
  run.runTo(run.now + 2000);
  run.hear(askOne(instance, srv));
  assert.deepEqual(kindsOf(run.within(500)[0]!.message.additionals), ['a', 'aaaa']);
  run.runTo(run.now + 2000);
  run.hear(query({ questions: [ask(httpType, ptr), ask(instance, srv), ask(host, a)] }));
  const [sent] = run.within(500);
  assert.deepEqual(kindsOf(sent!.message.answers), ['a', 'ptr', 'srv']);
  assert.deepEqual(kindsOf(sent!.message.additionals), ['aaaa', 'txt']);
});

test('M17, RFC 6763 §12.1: the pointer of a subtype brings the same along, that of the types nothing', () => {
  const run = PublisherRun.announced(boxGroups({ subtypes: ['_sub1'] }));
  run.hear(askOne(['_sub1', '_sub', ...httpType], ptr));
  assert.deepEqual(kindsOf(run.within(500)[0]!.message.additionals), ['a', 'aaaa', 'srv', 'txt']);
  run.runTo(run.now + 2000);
  run.hear(askOne(['_services', '_dns-sd', '_udp', 'local'], ptr));
  assert.deepEqual(run.within(500)[0]!.message.additionals, []);
});

test('RFC 6763 §12.3, §12.4: TXT and reverse pointers bring nothing along', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(instance, txt));
  assert.deepEqual(run.within(500)[0]!.message.additionals, []);
  run.hear(askOne(['1', '0', '0', '10', 'in-addr', 'arpa'], ptr));
  assert.deepEqual(run.within(500)[0]!.message.additionals, []);
});

test('M19: cache-flush on unique records and on no shared one', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr));
  const { answers, additionals } = run.within(500)[0]!.message;
  assert.deepEqual(
    answers.map((record) => record.cacheFlush),
    [false],
  );
  assert.ok(additionals.length > 0 && additionals.every((record) => record.cacheFlush));
});

test('M19: no cache-flush towards plain DNS, and none but on unique records in what is announced', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(10_000);
  for (const { cacheFlush, data, name } of run.sent.flatMap(({ message }) => message.answers)) {
    assert.equal(cacheFlush, data.kind !== 'ptr' || name.includes('arpa'));
  }
  run.sent.length = 0;
  run.hear(askOne(httpType, ptr), { ...neighbour, port: 40_000 });
  const { answers, additionals } = run.within(0)[0]!.message;
  assert.ok([...answers, ...additionals].every((record) => !record.cacheFlush));
});

test('M20: an answer that somebody else gives first is not given again', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr));
  run.hear(response({ answers: [pointer(4500)] }));
  assert.deepEqual(run.within(500), []);
});

test('M21: asked 200 times a second for our type, we answer at most 11 times in 10 s, however draws fall', () => {
  for (const draw of [0, 0.5, 0.999]) {
    const run = PublisherRun.announced(boxGroups(), draw);
    for (let count = 0; count < 2000; count++) {
      run.hear(askOne(httpType, ptr));
      run.runTo(run.now + 5);
    }
    const times = run.sent.map(({ atMs }) => atMs);
    assert.ok(times.length >= 9 && times.length <= 11, `${times.length}`);
  }
});

test('M21: a record is multicast once a second, however often it is asked for', () => {
  const run = PublisherRun.announced();
  for (let query = 0; query < 2000; query++) {
    run.hear(askOne(httpType, ptr));
    run.runTo(run.now + 5);
  }
  const times = run.sent.map(({ atMs }) => atMs);
  assert.ok(times.length >= 9 && times.length <= 11, `${times.length}`);
  for (const [index, atMs] of times.entries()) assert.ok(index === 0 || atMs - times[index - 1]! >= 1000);
});

test('M21: against a prober, a name is defended after 250 ms again', () => {
  const run = PublisherRun.announced();
  const theirs = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.200' });
  const probe = query({ questions: [ask(host, any)], authorities: [{ ...theirs, cacheFlush: false }] });
  for (let index = 0; index < 3; index++) {
    run.hear(probe);
    run.runTo(run.now + 250);
  }
  assert.deepEqual(
    run.sent.map(({ atMs }) => atMs),
    [60_000, 60_250, 60_500],
  );
});

test('RFC 6762 §5.4: a QU question is answered to the asker alone when everybody heard the answer lately', () => {
  const run = PublisherRun.announced();
  const asked = query({ questions: [ask(instance, srv, true)] });
  run.hear(asked);
  assert.equal(run.within(0)[0]!.to, undefined);
  run.hear(asked);
  assert.deepEqual(run.within(0)[0]!.to, neighbour);
});

test('M22: for a type that a name of ours does not have, NSEC says so', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(instance, a));
  const [answer] = run.within(0)[0]!.message.answers;
  assert.deepEqual(answer, uniqueRecord(instance, 120, { kind: 'nsec', next: instance, types: [txt, srv] }));
  run.hear(askOne(['nobody', 'local'], a));
  run.hear(askOne(httpType, a));
  assert.deepEqual(run.within(500), []);
});

test('M23: plain DNS gets its id and question back, lifetimes of at most 10 s, no cache-flush, unicast', () => {
  const run = PublisherRun.announced();
  const from = { address: '10.0.0.9', port: 40_000 };
  run.hear({ ...askOne(instance, srv), id: 4711 }, from);
  const [sent] = run.within(0);
  assert.deepEqual(sent!.to, from);
  assert.equal(sent!.legacy, true);
  assert.equal(sent!.message.id, 4711);
  assert.deepEqual(sent!.message.questions, [ask(instance, srv)]);
  const all: ResourceRecord[] = [...sent!.message.answers, ...sent!.message.additionals];
  assert.deepEqual(kindsOf(all), ['a', 'aaaa', 'srv']);
  assert.ok(all.every((record) => record.ttlSeconds <= 10 && !record.cacheFlush));
});

test('M23: a packet full of one question gets no larger answer than the question alone', () => {
  const run = PublisherRun.announced();
  const questions = Array.from({ length: 500 }, () => ask(instance, srv, true));
  for (const from of [neighbour, neighbour, { ...neighbour, port: 40_000 }]) {
    run.hear(query({ questions }), from);
    run.runTo(run.now + 200);
  }
  const sent = run.within(2000);
  assert.equal(sent.length, 3);
  for (const { message } of sent) assert.deepEqual(kindsOf(message.answers), ['srv']);
  assert.ok(sent.every(({ message }) => message.questions.length <= 1));
});

test('M25: 120 s where the host name is in the record, 4500 s otherwise', () => {
  for (const record of boxGroups().flatMap((group) => group.records)) {
    const namesHost = JSON.stringify(record).includes('"box"') || record.data.kind === 'srv';
    assert.equal(record.ttlSeconds, namesHost ? 120 : 4500, record.data.kind);
  }
});

test('M26: other opcodes and response codes are ignored', () => {
  const run = PublisherRun.announced();
  run.hear({ ...askOne(host, a), opcode: 4 });
  run.hear({ ...askOne(host, a), rcode: 3 });
  assert.deepEqual(run.within(500), []);
});

test('M29: an address leads back to the host name', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(['1', '0', '0', '10', 'IN-ADDR', 'arpa'], ptr));
  assert.deepEqual(run.within(500)[0]!.message.answers[0]!.data, { kind: 'ptr', target: host });
  const nibbles = ['1', ...Array<string>(28).fill('0'), '8', 'e', 'f'];
  run.hear(askOne([...nibbles, 'ip6', 'arpa'], ptr));
  const [six] = run.within(500);
  assert.deepEqual(six?.message.answers[0]?.data, { kind: 'ptr', target: host });
});

test('M29: a name is ours in whatever case it is asked for, and answered in our own', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(['BOX', '_HTTP', '_Tcp', 'LOCAL'], srv));
  assert.deepEqual(run.within(0)[0]!.message.answers[0]!.name, instance);
  const umlauts = PublisherRun.announced(boxGroups({ instance: 'É' }));
  umlauts.hear(askOne(['é', ...httpType], srv));
  assert.deepEqual(umlauts.within(500), []);
});

test('M30: a response from another port than 5353 changes nothing', () => {
  const run = PublisherRun.announced();
  const conflict = response({ answers: [uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.200' })] });
  run.hear(conflict, { ...neighbour, port: 5354 });
  assert.deepEqual(run.within(2000), []);
});

test('RFC 6762 §6.6: a goodbye that somebody else says for a record of ours is put right', () => {
  const run = PublisherRun.announced();
  run.hear(response({ answers: [pointer(0)] }));
  assert.deepEqual(kindsOf(run.within(100)[0]!.message.answers), ['ptr']);
});
