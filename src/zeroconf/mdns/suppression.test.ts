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
import { type Message, query, recordType, response } from '../dns/message.ts';
import { sharedRecord, uniqueRecord } from './records.ts';

const { a, any, ptr, srv } = recordType;
const twoAddresses = () => boxGroups({ addresses: ['10.0.0.1', '10.0.0.2'] });
const pointer = (ttlSeconds: number, target = instance) =>
  sharedRecord(httpType, ttlSeconds, { kind: 'ptr', target });
const address = (text: string, ttlSeconds = 120) =>
  uniqueRecord(host, ttlSeconds, { kind: 'a', address: text });
const truncated = (message: Message): Message => ({ ...message, truncated: true });
const another = (number: number) => ({ ...neighbour, address: `10.0.1.${number}` });

test('M11: the record known has the same data, its names compared without case', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr, [pointer(4500, ['BOX', '_HTTP', '_tcp', 'Local'])]));
  assert.deepEqual(run.within(500), []);
  run.hear(askOne(httpType, ptr, [pointer(4500, ['Box 2', ...httpType])]));
  assert.equal(run.within(500).length, 1);
});

test('M11: of a unique set of which only a part is known all is said, since a part would flush the rest', () => {
  const run = PublisherRun.announced(twoAddresses());
  run.hear(askOne(host, a, [address('10.0.0.1')]));
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.answers), ['a', 'a']);
  run.runTo(run.now + 2000);
  run.hear(askOne(host, a, [address('10.0.0.1'), address('10.0.0.2', 59)]));
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.answers), ['a', 'a']);
  run.runTo(run.now + 2000);
  run.hear(askOne(host, a, [address('10.0.0.1', 60), address('10.0.0.2', 60)]));
  assert.deepEqual(run.within(500), []);
});

test('M12: of several hosts whose known answers go on, each is answered by what it knows itself', () => {
  const run = PublisherRun.announced();
  run.hear(truncated(askOne(httpType, ptr)), another(1));
  run.hear(truncated(askOne(httpType, ptr)), another(2));
  run.hear(query({ answers: [pointer(4500)] }), another(1));
  assert.deepEqual(
    run.within(1000).map(({ atMs }) => atMs),
    [60_400],
  );
  run.runTo(run.now + 5000);
  for (const number of [1, 2]) {
    run.hear(truncated(askOne(httpType, ptr)), another(number));
    run.hear(query({ answers: [pointer(4500)] }), another(number));
  }
  assert.deepEqual(run.within(1000), []);
});

test('M12: while more packets follow, the wait begins anew with each', () => {
  const run = PublisherRun.announced();
  run.hear(truncated(askOne(httpType, ptr)));
  for (const untilMs of [60_300, 60_600]) {
    run.runTo(untilMs);
    run.hear(truncated(query({ answers: [pointer(4500, ['Other', ...httpType])] })));
  }
  run.runTo(60_900);
  run.hear(query({ answers: [pointer(4500, ['Third', ...httpType])] }));
  assert.deepEqual(
    run.within(1000).map(({ atMs }) => atMs),
    [61_000],
  );
});

test('M12: when too many wait, the oldest is answered, and none is remembered beyond that', () => {
  const run = PublisherRun.announced();
  const before = run.size;
  for (let number = 0; number < 200; number++) run.hear(truncated(askOne(instance, srv)), another(number));
  assert.ok(run.size <= before + 32 + 10, `${run.size - before}`);
  assert.deepEqual(
    run.within(600).map(({ atMs }) => atMs),
    [60_000],
  );
});

test('M12: known answers of somebody who did not ask are nothing to us', () => {
  const run = PublisherRun.announced();
  run.hear(query({ answers: [pointer(4500)] }));
  run.hear(askOne(httpType, ptr));
  assert.equal(run.within(500).length, 1);
});

test('M20: an answer of somebody else that lives shorter, or that only one host heard, does not stand for ours', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr));
  run.hear(response({ answers: [pointer(4499)] }));
  assert.equal(run.within(500).length, 1);
  run.runTo(run.now + 2000);
  run.hear(askOne(httpType, ptr));
  run.hear(response({ answers: [pointer(4500)] }), neighbour, false);
  assert.equal(run.within(500).length, 1);
});

test('M20: of a unique set, somebody else has to have said all', () => {
  const run = PublisherRun.announced(twoAddresses());
  const asked = query({ questions: [ask(host, a), ask(httpType, ptr)] });
  run.hear(asked);
  run.hear(response({ answers: [address('10.0.0.1')] }));
  assert.deepEqual(kindsOf(run.within(500)[0]!.message.answers), ['a', 'a', 'ptr']);
  run.runTo(run.now + 2000);
  run.hear(asked);
  run.hear(response({ answers: [address('10.0.0.1'), address('10.0.0.2')] }));
  assert.deepEqual(kindsOf(run.within(500)[0]!.message.answers), ['ptr']);
});

test('RFC 6762 §6.6: what somebody else says with too short a life is put right once a second, whole sets', () => {
  const run = PublisherRun.announced(twoAddresses());
  for (let count = 0; count < 100; count++) {
    run.hear(response({ answers: [address('10.0.0.1', 59)] }));
    run.runTo(run.now + 50);
  }
  const sent = run.within(1000);
  assert.equal(sent.length, 6);
  for (const { message } of sent) assert.deepEqual(kindsOf(message.answers), ['a', 'a']);
  run.hear(response({ answers: [address('10.0.0.1', 60)] }));
  assert.deepEqual(run.within(2000), []);
});

test('RFC 6762 §6.5: ANY is answered with all there is of the name, class ANY like class Internet, others not', () => {
  const run = PublisherRun.announced(twoAddresses());
  run.hear(query({ questions: [{ ...ask(host, any), class: 255 }] }));
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.answers), ['a', 'a', 'aaaa']);
  run.runTo(run.now + 2000);
  run.hear(query({ questions: [{ ...ask(host, any), class: 3 }] }));
  assert.deepEqual(run.within(500), []);
});
