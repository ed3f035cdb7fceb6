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
import { query, recordType, response } from '../dns/message.ts';
import { uniqueRecord } from './records.ts';

const { a, aaaa, any, ptr, srv } = recordType;
const plain = { address: '10.0.0.9', port: 40_000 };
const another = (number: number) => ({ ...neighbour, address: `10.0.1.${number}` });
const theirAddress = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.200' });

test('RFC 6762 §5.5: a query to our address alone is answered like one that asks for an answer to the asker alone', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(instance, srv), neighbour, false);
  assert.equal(run.within(0)[0]!.to, undefined);
  run.hear(askOne(instance, srv), neighbour, false);
  const [sent] = run.within(500);
  assert.deepEqual(sent!.to, neighbour);
  assert.deepEqual(kindsOf(sent!.message.answers), ['srv']);
});

test('RFC 6762 §5.4: a record not multicast for a quarter of its life is multicast, whoever asks how', () => {
  const run = PublisherRun.announced();
  const asked = query({ questions: [ask(host, a, true)] });
  run.hear(asked);
  assert.equal(run.within(0)[0]!.to, undefined);
  run.runTo(run.now + 29_999);
  run.hear(asked);
  assert.deepEqual(run.within(0)[0]!.to, neighbour);
  run.runTo(run.now + 1);
  run.hear(asked);
  assert.equal(run.within(0)[0]!.to, undefined);
});

test('M10: a shared answer to the asker alone waits 20 to 120 ms as well, a unique one not', () => {
  const run = PublisherRun.announced(boxGroups(), 0.5);
  run.hear(askOne(httpType, ptr));
  run.runTo(run.now + 2000);
  run.sent.length = 0;
  const startMs = run.now;
  run.hear(query({ questions: [ask(httpType, ptr, true)] }));
  run.hear(query({ questions: [ask(instance, srv, true)] }), another(1));
  assert.deepEqual(
    run.within(500).map(({ atMs, to }) => [atMs - startMs, to?.address]),
    [
      [0, '10.0.1.1'],
      [70, neighbour.address],
    ],
  );
});

test('RFC 6762 §5.4: to the asker alone, too, a unique set is said whole (§10.2)', () => {
  const run = PublisherRun.announced(boxGroups({ addresses: ['10.0.0.1', '10.0.0.2'] }));
  run.hear(askOne(host, a));
  run.sent.length = 0;
  const known = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.1' });
  run.hear(query({ questions: [ask(host, a, true)], answers: [known] }));
  const [sent] = run.within(0);
  assert.deepEqual([sent!.to, kindsOf(sent!.message.answers)], [neighbour, ['a', 'a']]);
});

test('RFC 6762 §5.4: replies to single askers have a limit; beyond it answers are multicast, once a second', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(instance, srv));
  run.runTo(run.now + 1000);
  run.sent.length = 0;
  const before = run.size;
  for (let number = 0; number < 200; number++) {
    run.hear(query({ questions: [ask(instance, srv, true)] }), another(number));
    run.hear(query({ questions: [ask(httpType, ptr, true)] }), another(number));
  }
  assert.ok(run.size - before < 50, `${run.size - before}`);
  const sent = run.within(900);
  assert.ok(sent.filter(({ to }) => to !== undefined).length <= 50);
  assert.equal(sent.filter(({ to }) => to === undefined).length, 2);
});

test('M23: plain DNS is answered within the same limit, and then not at all', () => {
  const run = PublisherRun.announced();
  for (let count = 0; count < 200; count++) run.hear(askOne(instance, srv), plain);
  assert.equal(run.within(0).length, 50);
  run.runTo(run.now + 1000);
  run.hear(askOne(instance, srv), plain);
  assert.equal(run.within(0).length, 1);
});

test('M23: plain DNS is told that there is none, and nothing when its question is about no name of ours', () => {
  const run = PublisherRun.announced(boxGroups({ addresses: [] }));
  run.hear({ ...askOne(host, a), id: 99 }, plain);
  const [sent] = run.within(0);
  assert.deepEqual([sent!.message.id, kindsOf(sent!.message.answers)], [99, ['nsec']]);
  assert.ok(sent!.message.answers[0]!.ttlSeconds <= 10);
  run.hear(query({ id: 1, questions: [ask(['nobody', 'local'], a), ask(host, aaaa)] }), plain);
  run.hear(askOne(['nobody', 'local'], a), plain);
  assert.deepEqual(run.within(500), []);
});

test('M23: known answers of plain DNS do not keep us from answering', () => {
  const run = PublisherRun.announced();
  const own = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.1' });
  run.hear(askOne(host, a, [own]), plain);
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.answers), ['a']);
});

test('M30: a response to us alone counts while we probe, and not at any other time', () => {
  const held = PublisherRun.announced();
  held.hear(response({ answers: [theirAddress] }), neighbour, false);
  assert.deepEqual(held.within(2000), []);
  assert.deepEqual(held.disputes, []);
  const probing = new PublisherRun();
  probing.offer(boxGroups());
  probing.runTo(300);
  probing.hear(response({ answers: [theirAddress] }), neighbour, false);
  assert.deepEqual(
    probing.conflicts.map(({ groupId }) => groupId),
    ['host'],
  );
});

test('M30: a probe from another port than 5353 breaks no tie', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(300);
  const questions = [ask(host, any, true)];
  run.hear(query({ questions, authorities: [theirAddress] }), { ...neighbour, port: 40_000 });
  run.runTo(800);
  assert.deepEqual(run.announced, ['host', 'service']);
});
