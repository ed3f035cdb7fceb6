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
  PublisherRun,
} from '../../testing/publisher-run.ts';
import { query, type ResourceRecord, recordType } from '../dns/message.ts';
import { serviceGroup } from '../dnssd/service.ts';

const { a, aaaa, nsec, ptr, srv, txt } = recordType;

function denialIn(records: readonly ResourceRecord[]): { types: readonly number[]; record: ResourceRecord } {
  const record = records.find(({ data }) => data.kind === 'nsec')!;
  assert.ok(record.data.kind === 'nsec');
  assert.deepEqual(record.data.next, record.name);
  return { types: record.data.types, record };
}

test('M22: the bitmap has the types there are and no other, for host, instance and reverse names', () => {
  const reverse = ['1', '0', '0', '10', 'in-addr', 'arpa'];
  for (const [name, type, types] of [
    [host, txt, [a, aaaa]],
    [host, nsec, [a, aaaa]],
    [instance, aaaa, [txt, srv]],
    [reverse, a, [ptr]],
  ] as const) {
    const run = PublisherRun.announced();
    run.hear(askOne(name, type));
    const [sent] = run.within(0);
    assert.deepEqual(kindsOf(sent!.message.answers), ['nsec']);
    const { types: said, record } = denialIn(sent!.message.answers);
    assert.deepEqual(said, types);
    assert.equal(record.cacheFlush, true);
  }
});

test('M22: a denial lives as long as the record would', () => {
  const model = { instance: 'Box', type: '_device-info._tcp', text: { model: 'x' } };
  const [hostGroup] = boxGroups();
  const reserved = { instance: 'Box', type: '_printer._tcp', port: 0, text: {} };
  const groups = [hostGroup!, serviceGroup('m', model, 'box'), serviceGroup('p', reserved, 'box')];
  for (const [name, type, ttlSeconds] of [
    [['Box', '_device-info', '_tcp', 'local'], srv, 120],
    [['Box', '_printer', '_tcp', 'local'], txt, 4500],
    [host, txt, 4500],
  ] as const) {
    const run = PublisherRun.announced(groups);
    run.hear(askOne(name, type));
    assert.equal(denialIn(run.within(0)[0]!.message.answers).record.ttlSeconds, ttlSeconds);
  }
});

test('M22: a host without addresses of a family says so beside its others and its services (§6.2)', () => {
  const run = PublisherRun.announced(boxGroups({ addresses: [] }));
  run.hear(askOne(httpType, ptr));
  const { additionals } = run.within(500)[0]!.message;
  assert.deepEqual(kindsOf(additionals), ['aaaa', 'nsec', 'srv', 'txt']);
  assert.deepEqual(denialIn(additionals).types, [aaaa]);
  run.runTo(run.now + 2000);
  run.hear(askOne(host, aaaa));
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.additionals), ['nsec']);
  run.runTo(run.now + 2000);
  run.hear(askOne(host, a));
  assert.deepEqual(kindsOf(run.within(0)[0]!.message.answers), ['nsec']);
});

test('M22: nothing is denied of a name that others may have, nor of one that is not yet ours', () => {
  const run = PublisherRun.announced();
  run.hear(query({ questions: [ask(httpType, srv), ask(httpType, 99)] }));
  assert.deepEqual(run.within(500), []);
  const probing = new PublisherRun();
  probing.offer(boxGroups());
  probing.runTo(600);
  probing.sent.length = 0;
  probing.hear(askOne(host, txt));
  probing.hear(askOne(host, a));
  assert.ok(probing.within(100).every(({ message }) => !message.response));
});

test('M22: a denial, too, is multicast once a second', () => {
  const run = PublisherRun.announced();
  for (let count = 0; count < 100; count++) {
    run.hear(askOne(instance, a));
    run.runTo(run.now + 50);
  }
  assert.deepEqual(
    run.within(0).map(({ atMs }) => atMs - 60_000),
    [0, 1000, 2000, 3000, 4000, 5000],
  );
});

test('RFC 6762 §6.2: an address brings those of the other family along', () => {
  const run = PublisherRun.announced(boxGroups({ addresses: ['10.0.0.1', '10.0.0.2'] }));
  run.hear(askOne(host, aaaa));
  const [sent] = run.within(0);
  assert.deepEqual(kindsOf(sent!.message.answers), ['aaaa']);
  assert.deepEqual(kindsOf(sent!.message.additionals), ['a', 'a']);
});
