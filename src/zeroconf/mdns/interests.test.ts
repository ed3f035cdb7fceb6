import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { ask, askOne, host, httpType, instance, neighbour } from '../../testing/publisher-run.ts';
import { QuerierRun } from '../../testing/querier-run.ts';
import { query, recordType, response } from '../dns/message.ts';
import { knownTypes, serviceTypesName } from './interests.ts';
import { querierWants } from './querier.ts';
import { sharedRecord, uniqueRecord } from './records.ts';

const pointer = (name: readonly string[], target: readonly string[]) =>
  sharedRecord(name, 4500, { kind: 'ptr', target });
const srv = uniqueRecord(instance, 120, { kind: 'srv', priority: 0, weight: 0, port: 80, target: host });
const txt = uniqueRecord(instance, 4500, { kind: 'txt', strings: [utf8('a=1')] });
const a = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.1' });
const ippType = ['_ipp', '_tcp', 'local'];

test('RFC 6763 §9: every type that is announced is asked for, and its instances followed', () => {
  const run = new QuerierRun({ types: [], everyType: true });
  run.runTo(30);
  assert.deepEqual(run.sent[0]!.message.questions, [ask(serviceTypesName, recordType.ptr)]);
  run.sent.length = 0;
  run.hear(response({ answers: [pointer(serviceTypesName, httpType), pointer(serviceTypesName, ippType)] }));
  run.runTo(60);
  assert.deepEqual(
    run.sent.flatMap(({ message }) => message.questions.map(({ name }) => name)),
    [httpType, ippType],
  );
  run.hear(response({ answers: [pointer(httpType, instance)], additionals: [srv, txt, a] }));
  assert.ok(run.has(a));
});

test('RFC 6763 §9: names that are no types are not followed, and of types only so many', () => {
  const run = new QuerierRun({ types: [], everyType: true });
  const strange = [
    ['x'],
    ['_a', '_tcp'],
    ['_a', '_sctp', 'local'],
    ['a', '_tcp', 'local'],
    instance,
    serviceTypesName,
  ];
  const many = Array.from({ length: 200 }, (_, index) => [`_t${index}`, '_tcp', 'local']);
  run.hear(response({ answers: strange.map((name) => pointer(serviceTypesName, name)) }));
  assert.deepEqual(knownTypes(run.state.cache), []);
  run.hear(response({ answers: many.map((name) => pointer(serviceTypesName, name)) }));
  assert.equal(knownTypes(run.state.cache).length, 64);
});

test('RFC 6763 §7.1: instances of a subtype are those of its type', () => {
  const subtype = ['_printer', '_sub', ...httpType];
  const run = new QuerierRun({ types: [subtype] });
  run.runTo(30);
  assert.deepEqual(run.sent[0]!.message.questions, [ask(subtype, recordType.ptr)]);
  run.hear(response({ answers: [pointer(subtype, instance)], additionals: [srv, txt, a] }));
  assert.deepEqual(run.state.wanted.instances, [instance]);
  assert.ok(run.has(a));
});

test('RFC 6763 §4.1: what a type’s pointer leads to is followed only when it is an instance of that type', () => {
  const run = new QuerierRun();
  for (const target of [host, ['Box', ...ippType], ['a', 'b', ...httpType], httpType, []])
    run.hear(response({ answers: [pointer(httpType, target)] }));
  assert.deepEqual(run.state.wanted.instances, []);
  run.hear(response({ answers: [pointer(httpType, ['Mr. Box', '_HTTP', '_tcp', 'LOCAL'])] }));
  assert.equal(run.state.wanted.instances.length, 1);
});

test('RFC 6763 §5: an instance known by name is resolved without browsing', () => {
  const run = new QuerierRun({ types: [], instances: [instance] });
  run.runTo(30);
  assert.deepEqual(run.asked(), ['33 at 20', '16 at 20']);
  run.hear(response({ answers: [srv, txt] }));
  run.runTo(60);
  assert.deepEqual(run.asked(), ['1 at 50', '28 at 50']);
});

test('RFC 6762 §5.4: on a link that has just come up the first question asks for unicast answers, and those count', () => {
  const run = new QuerierRun({ isLinkNew: true });
  run.hear(response({ answers: [pointer(httpType, instance)] }), neighbour, false);
  assert.equal(run.state.cache.size, 0);
  run.runTo(2000);
  assert.deepEqual(
    run.sent.flatMap(({ message }) => message.questions.map((question) => question.unicastResponse)),
    [true, false],
  );
  run.hear(response({ answers: [pointer(httpType, instance)] }), neighbour, false);
  assert.equal(run.state.cache.size, 1);
});

test('M30: a response to us alone that we did not ask for is not believed', () => {
  const run = new QuerierRun();
  run.runTo(30);
  run.hear(response({ answers: [pointer(httpType, instance)] }), neighbour, false);
  assert.equal(run.state.cache.size, 0);
  const later = new QuerierRun({ isLinkNew: true });
  later.runTo(2021);
  later.hear(response({ answers: [pointer(httpType, instance)] }), neighbour, false);
  assert.equal(later.state.cache.size, 0);
});

test('M27: the same question is not asked twice within a second, though many records are due to be renewed', () => {
  const run = new QuerierRun({ draw: 0.5 });
  for (let index = 0; index < 50; index++) {
    run.runTo(index * 90);
    run.hear(response({ answers: [pointer(httpType, [`Box ${index}`, ...httpType])] }));
  }
  run.runTo(3_500_000);
  run.sent.length = 0;
  run.runTo(4_400_000);
  const times = run.sent
    .filter(({ message }) => message.questions.some(({ type }) => type === recordType.ptr))
    .map(({ atMs }) => atMs);
  assert.ok(times.length > 4);
  for (const [index, atMs] of times.entries()) assert.ok(index === 0 || atMs - times[index - 1]! >= 1000);
});

test('M27: what leads nowhere any more is neither renewed nor remembered', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointer(httpType, instance), srv, txt, a] }));
  run.hear(response({ answers: [{ ...pointer(httpType, instance), ttlSeconds: 0 }] }));
  run.runTo(1000);
  assert.equal(run.state.cache.size, 0);
  run.sent.length = 0;
  run.runTo(120_000);
  assert.ok(run.asked().every((line) => line.startsWith('12 ')));
});

test('M20: somebody else’s question counts only when ours would soon follow', () => {
  const run = new QuerierRun();
  run.runTo(7_100);
  assert.deepEqual(run.asked(), ['12 at 20', '12 at 1020', '12 at 3020', '12 at 7020']);
  run.hear(askOne(httpType, recordType.ptr));
  run.runTo(15_100);
  assert.deepEqual(run.asked(), ['12 at 15020']);
  run.runTo(25_000);
  run.hear(askOne(httpType, recordType.ptr));
  run.runTo(31_100);
  assert.deepEqual(run.asked(), []);
});

test('M20: what others know of another question does not matter', () => {
  const run = new QuerierRun();
  const questions = [ask(httpType, recordType.ptr), ask(ippType, recordType.ptr)];
  run.hear(query({ questions, answers: [pointer(ippType, ['P', ...ippType])] }));
  run.runTo(900);
  assert.deepEqual(run.asked(), []);
});

test('M27: only queries about what is followed are looked into', () => {
  const { state } = new QuerierRun();
  assert.ok(querierWants(state, askOne(['_HTTP', '_tcp', 'local'], recordType.ptr)));
  assert.ok(!querierWants(state, askOne(ippType, recordType.ptr)));
  assert.ok(querierWants(state, response({})));
  assert.ok(!querierWants(state, { ...response({}), rcode: 3 }));
});
