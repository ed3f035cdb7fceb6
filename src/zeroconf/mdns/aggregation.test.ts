import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
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
import { serviceTypesName } from './interests.ts';
import { recordKey, setKey, sharedRecord } from './records.ts';

const { a, aaaa, any, ptr, srv, txt } = recordType;
const pointer = sharedRecord(httpType, 4500, { kind: 'ptr', target: instance });
const subtypes = Array.from({ length: 20 }, (_, index) => `_kind${index}`);
const subtype = (index: number) => [`_kind${index}`, '_sub', ...httpType];

test('M14: the answer due first waits for one that is due a little later, and both go together', () => {
  const run = PublisherRun.announced();
  run.hear(askOne(httpType, ptr));
  run.runTo(run.now + 10);
  run.draw = 0.9;
  run.hear(askOne(serviceTypesName, ptr));
  const sent = run.within(2000);
  assert.deepEqual(
    sent.map(({ atMs }) => atMs),
    [60_120],
  );
  assert.deepEqual(kindsOf(sent[0]!.message.answers), ['ptr', 'ptr']);
});

test('M14: no answer waits more than 500 ms for others, however many come', () => {
  const run = PublisherRun.announced(boxGroups({ subtypes }), 0.9);
  for (const [index] of subtypes.entries()) {
    run.hear(askOne(subtype(index), ptr));
    run.runTo(run.now + 60);
  }
  const sent = run.within(2000);
  assert.equal(sent[0]!.atMs, 60_000 + 110 + 480);
  assert.equal(sent[0]!.message.answers.length, 9);
  assert.equal(
    sent.reduce((sum, { message }) => sum + message.answers.length, 0),
    subtypes.length,
  );
});

test('M9, M14: an answer that nobody else can give waits for no other', () => {
  const run = PublisherRun.announced(boxGroups(), 0.9);
  run.hear(askOne(httpType, ptr));
  run.hear(askOne(host, a));
  const [first, second] = run.within(500);
  assert.deepEqual([first!.atMs, kindsOf(first!.message.answers)], [60_000, ['a']]);
  assert.deepEqual([second!.atMs, kindsOf(second!.message.answers)], [60_110, ['ptr']]);
});

test('M21: an answer just given is left out of the announcement that follows within a second', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(2800);
  run.hear(askOne(instance, srv));
  run.runTo(3700);
  run.sent.length = 0;
  run.runTo(5000);
  assert.deepEqual(
    run.sent.map(({ message }) => kindsOf(message.answers)),
    // Its answer at 2800 brought the addresses along.
    [['ptr', 'ptr', 'ptr', 'ptr', 'txt']],
  );
});

test('M21: an announcement answers those who wait', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(1749);
  run.hear(askOne(httpType, ptr));
  run.sent.length = 0;
  run.runTo(3700);
  assert.deepEqual(
    run.sent.map(({ atMs }) => atMs),
    [1750],
  );
});

test('M20, M21: what somebody else multicast for us a moment ago is not multicast again', () => {
  const run = PublisherRun.announced();
  run.hear(response({ answers: [pointer] }));
  run.hear(askOne(httpType, ptr));
  assert.deepEqual(
    run.within(2000).map(({ atMs }) => atMs),
    [61_000],
  );
});

test('M21: authority records make nobody hurry but for the very name that is probed for', () => {
  const run = PublisherRun.announced();
  const authorities = [{ ...pointer, name: ['elsewhere', 'local'] }, pointer];
  for (let count = 0; count < 40; count++) {
    run.hear(query({ questions: [ask(httpType, ptr)], authorities }));
    run.hear(query({ questions: [ask(host, a)], authorities }));
    run.runTo(run.now + 50);
  }
  const times = (kind: string) =>
    run.sent.filter(({ message }) => message.answers[0]!.data.kind === kind).map(({ atMs }) => atMs);
  assert.deepEqual(times('ptr'), [60_020, 61_020]);
  assert.deepEqual(times('a'), [60_000, 61_000, 62_000]);
});

const names = [
  host,
  instance,
  httpType,
  serviceTypesName,
  subtype(1),
  ['1', '0', '0', '10', 'in-addr', 'arpa'],
];
const questions = fc
  .record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom(a, aaaa, any, ptr, srv, txt, 99),
    unicast: fc.boolean(),
  })
  .map(({ name, type, unicast }) => ask(name, type, unicast));
const ownRecords = boxGroups({ subtypes }).flatMap((group) => group.records);
const known = fc.record({ record: fc.constantFrom(...ownRecords), ttlSeconds: fc.constantFrom(0, 10, 4500) });
const events = fc.record({
  waitMs: fc.nat(900),
  draw: fc.nat(999).map((number) => number / 1000),
  questions: fc.array(questions, { maxLength: 4 }),
  known: fc.array(known, { maxLength: 3 }),
  isTruncated: fc.boolean(),
  isAnswer: fc.boolean(),
});

test('M21, M14: whatever is asked and said, no record is multicast twice within a second, no unique set in part', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 40 }), (all) => {
      const run = new PublisherRun();
      run.offer(boxGroups({ subtypes, addresses: ['10.0.0.1', '10.0.0.2'] }));
      for (const event of all) {
        run.runTo(run.now + event.waitMs);
        run.draw = event.draw;
        const answers = event.known.map(({ record, ttlSeconds }) => ({ ...record, ttlSeconds }));
        if (event.isAnswer) run.hear(response({ answers }));
        else run.hear(query({ questions: event.questions, answers, truncated: event.isTruncated }));
      }
      run.runTo(run.now + 5000);
      assertPaced(run);
      assertWhole(run);
    }),
    { numRuns: 150 },
  );
});

function assertPaced(run: PublisherRun): void {
  const lastMs = new Map<string, number>();
  for (const { message, atMs, to } of run.sent) {
    if (to !== undefined || !message.response) continue;
    for (const record of [...message.answers, ...message.additionals]) {
      const key = recordKey(record);
      assert.ok(atMs - (lastMs.get(key) ?? -1000) > 999.999, `${record.data.kind} at ${atMs}`);
      lastMs.set(key, atMs);
    }
  }
}

function assertWhole(run: PublisherRun): void {
  const sets = Map.groupBy(ownSet(), setKey);
  for (const { message } of run.sent) {
    if (!message.response) continue;
    const said = new Set([...message.answers, ...message.additionals].map(recordKey));
    for (const set of sets.values()) {
      const count = set.filter((record) => said.has(recordKey(record))).length;
      assert.ok(count === 0 || count === set.length);
    }
  }
}

function ownSet(): readonly ResourceRecord[] {
  return boxGroups({ subtypes, addresses: ['10.0.0.1', '10.0.0.2'] })
    .flatMap((group) => group.records)
    .filter((record) => record.cacheFlush);
}

test('M13: defence at once, and shared answers of the same packet after 20 to 120 ms', () => {
  const run = PublisherRun.announced(boxGroups(), 0.5);
  const theirs = { ...pointer, name: host, data: { kind: 'a', address: '10.0.0.99' } } as const;
  const asked = [ask(host, any), ask(httpType, ptr)];
  run.hear(query({ questions: asked, authorities: [theirs] }), neighbour);
  assert.deepEqual(
    run.within(500).map(({ atMs, message }) => [atMs, kindsOf(message.answers)]),
    [
      [60_000, ['a', 'aaaa']],
      [60_070, ['ptr']],
    ],
  );
});
