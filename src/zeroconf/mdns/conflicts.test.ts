import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../base/bytes.ts';
import { boxGroups, host, instance, kindsOf, neighbour, PublisherRun } from '../../testing/publisher-run.ts';
import { encodeMessage } from '../dns/encoder.ts';
import { type Message, query, type RecordData, type ResourceRecord, response } from '../dns/message.ts';
import { serviceGroup } from '../dnssd/service.ts';
import { compareProposals, uniqueRecord } from './records.ts';

const other = (name: readonly string[], data: RecordData): ResourceRecord => uniqueRecord(name, 120, data);
const strangersHost = response({ answers: [other(host, { kind: 'a', address: '10.0.0.200' })] });
const isProbeFor = (label: string) => (sent: { readonly message: Message }) =>
  !sent.message.response && sent.message.questions.some(({ name }) => name[0] === label);

test('M1: names and proposals that no packet carries together are probed for in several, each name whole', () => {
  const run = new PublisherRun();
  const text = Object.fromEntries(Array.from({ length: 3 }, (_, index) => [`k${index}`, 'x'.repeat(200)]));
  const types = ['_a._tcp', '_b._tcp', '_c._tcp', '_d._tcp'];
  const services = types.map((type) => serviceGroup(type, { instance: 'Box', type, port: 1, text }, 'box'));
  run.offer([...boxGroups(), ...services]);
  run.runTo(10);
  assert.equal(run.sent.length, 3);
  const names = run.sent.flatMap(({ message }) => message.questions.map(({ name }) => name.join('.')));
  assert.equal(new Set(names).size, 6);
  for (const { message } of run.sent) {
    assert.ok(encodeMessage(message).length <= 1440);
    for (const { name } of message.questions) {
      const kinds = kindsOf(message.authorities.filter((record) => record.name.join() === name.join()));
      assert.deepEqual(kinds, name.length === 2 ? ['a', 'aaaa'] : ['srv', 'txt']);
    }
  }
});

const addresses = fc.constantFrom('1.1.1.1', '9.9.9.9', '200.1.1.1', '10.0.0.1');
const proposals = fc.array(
  fc.oneof(
    addresses.map((address) => other(host, { kind: 'a', address })),
    fc.constantFrom('', 'a', 'b').map((text) => other(host, { kind: 'txt', strings: [utf8(text)] })),
    fc
      .nat(2)
      .map((port) => other(host, { kind: 'srv', priority: 0, weight: 0, port, target: ['x', 'local'] })),
  ),
  { minLength: 1, maxLength: 4 },
);

test('M2: of two sets one wins or they are equal, in whatever order they come; three cannot win in a circle', () => {
  fc.assert(
    fc.property(proposals, proposals, proposals, (a, b, c) => {
      assert.equal(Math.sign(compareProposals(a, b)), -Math.sign(compareProposals(b, a)) + 0);
      assert.equal(
        Math.sign(compareProposals([...a].reverse(), b)),
        Math.sign(compareProposals(a, [...b].reverse())),
      );
      if (compareProposals(a, b) > 0 && compareProposals(b, c) > 0) assert.ok(compareProposals(a, c) > 0);
    }),
  );
});

test('M2: a tie is broken by bytes as they are, while the same record is known without case', () => {
  const srv = (target: string) =>
    other(instance, { kind: 'srv', priority: 0, weight: 0, port: 80, target: [target] });
  assert.ok(compareProposals([srv('box')], [srv('BOX')]) > 0);
  const run = PublisherRun.announced();
  const ours: RecordData = { kind: 'srv', priority: 0, weight: 0, port: 80, target: ['BOX', 'LOCAL'] };
  run.hear(response({ answers: [other(instance, ours)] }));
  assert.deepEqual(run.disputes, []);
});

test('M2: who loses every tie asks once a second, for the same name', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  const theirs = { ...strangersHost.answers[0]!, cacheFlush: false };
  const probe = query({
    questions: [{ name: host, type: 255, class: 1, unicastResponse: true }],
    authorities: [theirs, { ...theirs, data: { kind: 'aaaa', address: 'fe80::9' } }],
  });
  while (run.now < 20_000) {
    run.hear(probe);
    run.runTo(run.now + 250);
  }
  assert.ok(run.sent.filter(isProbeFor('box')).length <= 20);
  assert.deepEqual(run.conflicts, []);
});

test('M4: a denial counts in whichever section it stands, and of a class of its own not', () => {
  for (const section of ['answers', 'authorities', 'additionals'] as const) {
    const run = new PublisherRun();
    run.offer(boxGroups());
    run.runTo(300);
    const theirs = strangersHost.answers[0]!;
    run.hear(response({ [section]: [{ ...theirs, class: 3 }] }));
    assert.deepEqual(run.conflicts, []);
    run.hear(response({ [section]: [theirs] }));
    assert.equal(run.conflicts.length, 1);
    assert.deepEqual(run.disputes, [neighbour.address]);
  }
});

test('M4, M6: a host that loses its name keeps those of its services, which are announced with the new one', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(300);
  run.hear(strangersHost);
  run.offer(boxGroups({ hostLabel: 'box-2' }));
  run.runTo(5000);
  assert.deepEqual(run.announced, ['host', 'service']);
  const announced = run.sent.find(({ message }) => message.response)!.message.answers;
  const srv = announced.find(({ data }) => data.kind === 'srv')!.data;
  assert.ok(srv.kind === 'srv' && srv.target[0] === 'box-2');
  assert.ok(!announced.some(({ name }) => name[0] === 'box'));
});

/** Denies each name as soon as it is probed for, and goes on under the next. */
function denyEverything(run: PublisherRun, untilMs: number): void {
  for (let number = 1; run.now < untilMs; run.runTo(run.now + 10)) {
    const label = number === 1 ? 'box' : `box-${number}`;
    if (!run.sent.some(isProbeFor(label))) continue;
    run.hear(response({ answers: [other([label, 'local'], { kind: 'a', address: '10.0.0.200' })] }));
    number++;
    run.offer(boxGroups({ hostLabel: `box-${number}` }));
  }
}

test('M5: a host that denies every name slows us down to one name in five seconds, for as long as it goes on', () => {
  const run = new PublisherRun(0.5);
  run.offer(boxGroups());
  denyEverything(run, 120_000);
  const times = run.conflicts.map(({ atMs }) => atMs);
  const slow = times.slice(15);
  assert.ok(times[14]! - times[0]! < 10_000);
  assert.ok(slow.length >= 15 && slow.length <= 25, `${slow.length}`);
  for (const [index, atMs] of slow.entries())
    assert.ok(atMs - (slow[index - 1] ?? times[14]!) >= 5000, `${atMs}`);
});

test('M5: after ten seconds of peace names are probed for at once again', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  denyEverything(run, 30_000);
  const label = `box-${run.conflicts.length + 1}`;
  run.runTo(run.now + 60_000);
  assert.ok(run.announced.includes('host'));
  run.sent.length = 0;
  const startMs = run.now;
  run.hear(response({ answers: [other([label, 'local'], { kind: 'a', address: '10.0.0.200' })] }));
  run.runTo(run.now + 1000);
  assert.equal(run.sent.find(isProbeFor(label))!.atMs, startMs);
});

test('M5, M8: somebody who disputes a name of ours all the time makes us probe no faster', () => {
  const run = PublisherRun.announced();
  const startMs = run.now;
  while (run.now < startMs + 60_000) {
    run.hear(strangersHost);
    run.runTo(run.now + 20);
    if (run.conflicts.length > 0) break;
  }
  // Once probing, the first such answer is a denial.
  assert.deepEqual(
    run.conflicts.map(({ groupId }) => groupId),
    ['host'],
  );
  assert.equal(run.disputes.length, 2);
});

test('M8: other addresses for our host, and other SRV and TXT for our service, are disputes; other types are not', () => {
  const disputed = (record: ResourceRecord) => {
    const run = PublisherRun.announced();
    run.hear(response({ answers: [record] }));
    return run.within(600).filter(({ message }) => !message.response).length === 3;
  };
  const txt = (text: string): RecordData => ({ kind: 'txt', strings: [utf8(text)] });
  const srv: RecordData = { kind: 'srv', priority: 0, weight: 0, port: 81, target: host };
  assert.ok(disputed(other(host, { kind: 'aaaa', address: 'fe80::99' })));
  assert.ok(disputed(other(instance, srv)));
  assert.ok(disputed(other(instance, txt('b=1'))));
  assert.ok(!disputed(other(instance, txt('txtvers=1'))));
  assert.ok(!disputed(other(host, txt('x'))));
  assert.ok(!disputed({ ...other(instance, srv), ttlSeconds: 0 }));
});

test('M8: while a name is disputed nothing is said under it, and nothing of what needs it', () => {
  const run = PublisherRun.announced();
  run.hear(strangersHost);
  run.hear(query({ questions: [{ name: instance, type: 33, class: 1, unicastResponse: false }] }));
  run.runTo(run.now + 740);
  assert.ok(run.sent.every(({ message }) => !message.response));
});

test('M8, M15: what is renamed while its host’s name is disputed is taken back all the same', () => {
  const run = PublisherRun.announced();
  run.hear(strangersHost);
  run.sent.length = 0;
  run.offer(boxGroups({ instance: 'Attic' }));
  const [goodbye] = run.within(0);
  assert.deepEqual(kindsOf(goodbye!.message.answers), ['ptr', 'srv', 'txt']);
  assert.ok(goodbye!.message.answers.every(({ ttlSeconds }) => ttlSeconds === 0));
});

test('M24: a name that somebody else got is not said goodbye to', () => {
  const run = PublisherRun.announced();
  run.hear(strangersHost);
  run.runTo(run.now + 10);
  run.hear(strangersHost);
  run.sent.length = 0;
  run.offer(boxGroups({ hostLabel: 'box-2' }));
  const said = run.within(3000).flatMap(({ message }) => [...message.answers, ...message.additionals]);
  assert.ok(said.every(({ name, ttlSeconds }) => name[0] !== 'box' && ttlSeconds > 0));
});

test('strangers make no list longer, whatever they send', () => {
  const run = PublisherRun.announced();
  const before = run.size;
  const labels = fc.constantFrom('box', 'Box', '_http', '_tcp', 'local', 'x');
  const names = fc.oneof(fc.constantFrom(host, instance), fc.array(labels, { maxLength: 5 }));
  const data = fc.constantFrom<RecordData>(
    { kind: 'a', address: '10.9.9.9' },
    { kind: 'ptr', target: instance },
    { kind: 'srv', priority: 0, weight: 0, port: 9, target: host },
  );
  const records = fc.array(
    fc.tuple(names, data, fc.nat(5000)).map(([name, one, ttl]) => ({ ...other(name, one), ttlSeconds: ttl })),
    { maxLength: 3 },
  );
  const questions = fc.array(
    fc.record({
      name: names,
      type: fc.nat(255),
      class: fc.constantFrom(1, 255),
      unicastResponse: fc.boolean(),
    }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(records, records, questions, fc.boolean(), fc.boolean(), fc.nat(300), (...parts) => {
      const [answers, authorities, asked, isResponse, truncated, waitMs] = parts;
      const message = query({ response: isResponse, questions: asked, answers, authorities, truncated });
      run.hear(message, { address: `10.0.${waitMs & 255}.${asked.length}`, port: 5353 }, waitMs % 3 > 0);
      run.runTo(run.now + waitMs);
      if (run.conflicts.length > 0) run.offer(boxGroups({ hostLabel: `box-${run.conflicts.length}` }));
      run.sent.length = 0;
    }),
    { numRuns: 2000 },
  );
  assert.ok(run.size < before + 120, `${run.size}`);
});
