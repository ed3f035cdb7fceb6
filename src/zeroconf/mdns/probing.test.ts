import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { boxGroups, host, instance, kindsOf, PublisherRun } from '../../testing/publisher-run.ts';
import { type Message, query, type RecordData, type ResourceRecord, response } from '../dns/message.ts';
import { compareProposals, uniqueRecord } from './records.ts';

const other = (name: readonly string[], data: RecordData): ResourceRecord => uniqueRecord(name, 120, data);
const strangersHost = response({ answers: [other(host, { kind: 'a', address: '10.0.0.200' })] });
const probeOf = (...authorities: ResourceRecord[]): Message =>
  query({
    questions: authorities.map(({ name }) => ({ name, type: 255, class: 1, unicastResponse: true })),
    authorities: authorities.map((record) => ({ ...record, cacheFlush: false })),
  });
const probes = (run: PublisherRun) => run.sent.filter(({ message }) => !message.response);
const announcements = (run: PublisherRun) => run.sent.filter(({ message }) => message.response);

test('M1: three probes 250 ms apart after 0–250 ms, type ANY, QU, proposals in authority, announced 250 ms after', () => {
  for (const draw of [0, 0.5, 0.999]) {
    const run = new PublisherRun(draw);
    run.offer(boxGroups());
    run.runTo(draw * 250 + 999);
    assert.deepEqual(
      run.sent.map(({ atMs }) => atMs - draw * 250),
      [0, 250, 500, 750],
    );
    for (const { message } of probes(run)) {
      assert.deepEqual(message.answers, []);
      assert.deepEqual(kindsOf(message.authorities), ['a', 'aaaa', 'srv', 'txt']);
      for (const question of message.questions) {
        assert.equal(question.type, 255);
        assert.equal(question.class, 1);
        assert.equal(question.unicastResponse, true);
      }
    }
    assert.equal(run.sent[3]!.message.response, true);
  }
});

test('M2: whose data is later wins: class, then type, then bytes; sets sorted; the longer one of equals', () => {
  const a = (address: string) => other(host, { kind: 'a', address });
  const txt = other(host, { kind: 'txt', strings: [utf8('x')] });
  assert.ok(compareProposals([a('169.254.200.50')], [a('169.254.99.200')]) > 0);
  assert.ok(compareProposals([txt], [a('255.0.0.1')]) > 0);
  assert.ok(compareProposals([{ ...a('1.1.1.1'), class: 3 }], [txt]) > 0);
  assert.ok(compareProposals([a('9.9.9.9'), a('1.1.1.1')], [a('1.1.1.1'), a('8.8.8.8')]) > 0);
  assert.ok(compareProposals([a('1.1.1.1'), txt], [a('1.1.1.1')]) > 0);
  assert.equal(compareProposals([txt, a('1.1.1.1')], [{ ...a('1.1.1.1'), cacheFlush: false }, txt]), 0);
});

test('M2: the loser of a tie-break waits a second and probes for the same name again', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(300);
  run.hear(
    probeOf(
      other(host, { kind: 'a', address: '10.0.0.200' }),
      other(host, { kind: 'aaaa', address: 'fe80::2' }),
    ),
  );
  run.sent.length = 0;
  run.runTo(2100);
  const forHost = probes(run).filter(({ message }) =>
    message.questions.some(({ name }) => name[0] === 'box'),
  );
  assert.deepEqual(
    forHost.map(({ atMs }) => atMs),
    [1300, 1550, 1800],
  );
  assert.deepEqual(run.conflicts, []);
  assert.ok(
    announcements(run).some(({ atMs, message }) => atMs === 2050 && kindsOf(message.answers).includes('a')),
  );
});

test('M2, M3: the winner goes on and announces; an identical proposal is no conflict', () => {
  for (const address of ['10.0.0.0', '10.0.0.1']) {
    const run = new PublisherRun();
    run.offer(boxGroups());
    run.runTo(300);
    run.hear(probeOf(other(host, { kind: 'a', address }), other(host, { kind: 'aaaa', address: 'fe80::1' })));
    run.runTo(760);
    assert.deepEqual(
      announcements(run).map(({ atMs }) => atMs),
      [750],
    );
  }
});

test('M4: whoever answers has the name, whatever the type; what came before the first probe does not count', () => {
  const run = new PublisherRun(0.9);
  run.offer(boxGroups());
  run.hear(strangersHost);
  assert.deepEqual(run.conflicts, []);
  run.runTo(300);
  run.hear(response({ answers: [other(['OTHER', 'local'], { kind: 'a', address: '10.0.0.2' })] }));
  assert.deepEqual(run.conflicts, []);
  run.hear(response({ answers: [other(['BOX', 'Local'], { kind: 'txt', strings: [utf8('')] })] }));
  assert.deepEqual(run.conflicts, [{ groupId: 'host', atMs: 300 }]);
  run.runTo(5000);
  assert.equal(announcements(run).length, 0);
  run.offer(boxGroups({ hostLabel: 'box-2' }));
  run.runTo(7000);
  assert.deepEqual(run.announced, ['host', 'service']);
});

test('M4: our own record in an answer, or a goodbye, is no conflict', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(300);
  run.hear(response({ answers: [other(host, { kind: 'a', address: '10.0.0.1' })] }));
  run.hear(response({ answers: [{ ...strangersHost.answers[0]!, ttlSeconds: 0 }] }));
  run.runTo(800);
  assert.deepEqual(run.conflicts, []);
  assert.deepEqual(run.announced, ['host', 'service']);
});

test('M5: after fifteen conflicts within ten seconds each attempt waits five seconds more', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  for (let index = 2; index < 18; index++) {
    run.runTo(run.now + 10);
    if (run.conflicts.length === 15) break;
    const name = [index === 2 ? 'box' : `box-${index - 1}`, 'local'];
    run.hear(response({ answers: [other(name, { kind: 'a', address: '10.0.0.200' })] }));
    run.offer(boxGroups({ hostLabel: `box-${index}` }));
  }
  assert.equal(run.conflicts.length, 15);
  const lastMs = run.conflicts.at(-1)!.atMs;
  run.sent.length = 0;
  run.runTo(lastMs + 6000);
  const forHost = probes(run).filter(({ message }) =>
    message.questions.some(({ name }) => name.length === 2),
  );
  assert.equal(forHost[0]!.atMs, lastMs + 5000);
});

test('M6: host and services are probed for in the same packets', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(600);
  for (const { message } of run.sent) {
    assert.deepEqual(
      message.questions.map(({ name }) => name),
      [host, instance],
    );
  }
  assert.equal(run.sent.length, 3);
});

test('M7: announced three times, a second and then two seconds apart', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(3_600_000);
  assert.deepEqual(
    announcements(run).map(({ atMs }) => atMs),
    [750, 1750, 3750],
  );
  assert.deepEqual(kindsOf(announcements(run)[0]!.message.answers), [
    'a',
    'aaaa',
    'ptr',
    'ptr',
    'ptr',
    'ptr',
    'srv',
    'txt',
  ]);
});

test('M8: another host’s record under a name of ours sends us back to probing', () => {
  const run = PublisherRun.announced();
  run.hear(strangersHost);
  const sent = run.within(1000);
  assert.deepEqual(
    sent.filter(({ message }) => !message.response).map(({ atMs }) => atMs),
    [60_000, 60_250, 60_500],
  );
  assert.ok(sent.some(({ message, atMs }) => message.response && atMs === 60_750));
  run.hear(strangersHost);
  run.runTo(run.now + 10);
  run.hear(strangersHost);
  assert.deepEqual(
    run.conflicts.map(({ groupId }) => groupId),
    ['host'],
  );
});

test('M15: under a new name, goodbye to the old one, and probing for the new', () => {
  const run = PublisherRun.announced();
  run.offer(boxGroups({ instance: 'Attic' }));
  const [goodbye, ...rest] = run.within(2000);
  // That there are services of its type stays true.
  assert.deepEqual(kindsOf(goodbye!.message.answers), ['ptr', 'srv', 'txt']);
  assert.ok(goodbye!.message.answers.every((record) => record.ttlSeconds === 0));
  assert.equal(rest.filter(({ message }) => !message.response).length, 3);
  assert.ok(rest.every(({ message }) => message.questions.every(({ name }) => name[0] === 'Attic')));
});

test('RFC 6762 §8.4: new TXT data is announced at once under the same name, without probing', () => {
  const run = PublisherRun.announced();
  run.offer(boxGroups({ text: { txtvers: '1', free: '10' } }));
  const sent = run.within(10_000);
  assert.deepEqual(
    sent.map(({ atMs }) => atMs),
    [60_000, 61_000, 63_000],
  );
  for (const { message } of sent) assert.deepEqual(kindsOf(message.answers), ['txt']);
});

test('RFC 6762 §8.4: a new address is announced, flushing the old one, without probing', () => {
  const run = PublisherRun.announced();
  run.offer(boxGroups({ addresses: ['10.0.0.5'] }));
  const [goodbye, first] = run.within(500);
  assert.deepEqual(kindsOf(goodbye!.message.answers), ['ptr']);
  assert.deepEqual(kindsOf(first!.message.answers), ['a', 'ptr']);
});

test('M19: no cache-flush bit in probes', () => {
  const run = new PublisherRun();
  run.offer(boxGroups());
  run.runTo(600);
  assert.ok(probes(run).every(({ message }) => message.authorities.every((record) => !record.cacheFlush)));
});

test('M24: goodbye is every record of ours with lifetime 0', () => {
  const run = PublisherRun.announced();
  run.withdraw();
  const [goodbye, ...rest] = run.within(60_000);
  assert.deepEqual(kindsOf(goodbye!.message.answers), [
    'a',
    'aaaa',
    'ptr',
    'ptr',
    'ptr',
    'ptr',
    'srv',
    'txt',
  ]);
  assert.ok(goodbye!.message.answers.every((record) => record.ttlSeconds === 0));
  assert.deepEqual(rest, []);
});
