import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { ask, askOne, host, httpType, instance, neighbour } from '../../testing/publisher-run.ts';
import { QuerierRun } from '../../testing/querier-run.ts';
import { query, type ResourceRecord, recordType, response } from '../dns/message.ts';
import { sharedRecord, uniqueRecord } from './records.ts';

const pointer = sharedRecord(httpType, 4500, { kind: 'ptr', target: instance });
const srv = uniqueRecord(instance, 120, { kind: 'srv', priority: 0, weight: 0, port: 80, target: host });
const txt = uniqueRecord(instance, 4500, { kind: 'txt', strings: [utf8('a=1')] });
const a = uniqueRecord(host, 120, { kind: 'a', address: '10.0.0.1' });
const aaaa = uniqueRecord(host, 120, { kind: 'aaaa', address: 'fe80::1' });
const whole = response({ answers: [pointer, srv, txt, a, aaaa] });

/** A querier that knows of one service since just now. */
function knowing(): QuerierRun {
  const run = new QuerierRun();
  run.runTo(30);
  run.hear(whole);
  run.sent.length = 0;
  return run;
}

test('RFC 6762 §10.5: what two questions of others, ten seconds ago, got no answer to is forgotten', () => {
  const run = knowing();
  run.hear(askOne(instance, recordType.srv));
  run.runTo(20_000);
  assert.ok(run.has(srv));
  run.hear(askOne(instance, recordType.srv));
  run.runTo(29_999);
  assert.ok(run.has(srv));
  run.runTo(30_000);
  assert.ok(!run.has(srv));
  assert.ok(run.has(txt) && run.has(pointer));
});

test('RFC 6762 §10.5: an answer puts it right, and nothing is asked to find out', () => {
  const run = knowing();
  for (const untilMs of [2000, 4000]) {
    run.hear(askOne(instance, recordType.any));
    run.runTo(untilMs);
  }
  assert.deepEqual(
    run.asked().filter((line) => !line.startsWith('12 ')),
    [],
  );
  run.hear(response({ answers: [srv, txt] }));
  run.hear(askOne(instance, recordType.srv));
  run.runTo(60_000);
  assert.ok(run.has(srv) && run.has(txt));
});

test('RFC 6762 §10.5: questions that we should not hear an answer to do not count', () => {
  const questions = [ask(instance, recordType.srv)];
  for (const hear of [
    (run: QuerierRun) => run.hear(query({ questions: [ask(instance, recordType.srv, true)] })),
    (run: QuerierRun) => run.hear(query({ questions, answers: [srv] })),
    (run: QuerierRun) => run.hear(query({ questions, truncated: true })),
    (run: QuerierRun) => run.hear(query({ questions }), { ...neighbour, port: 40_000 }),
    (run: QuerierRun) => run.hear(query({ questions }), neighbour, false),
    (run: QuerierRun) => run.hear(query({ questions: [ask(instance, recordType.txt)] })),
  ]) {
    const run = knowing();
    for (const untilMs of [2000, 4000, 6000]) {
      hear(run);
      run.runTo(untilMs);
    }
    run.runTo(60_000);
    assert.ok(run.has(srv));
  }
});

test('RFC 6762 §10.5: one question that came twice is one', () => {
  const run = knowing();
  run.hear(askOne(instance, recordType.srv));
  run.hear(askOne(instance, recordType.srv));
  run.runTo(60_000);
  assert.ok(run.has(srv));
});

test('RFC 6762 §10.4: what could not be reached is asked for more than once, and gone after ten seconds of silence', () => {
  const run = knowing();
  run.runTo(50_000);
  run.sent.length = 0;
  run.doubt(instance);
  run.runTo(59_999);
  const asked = run.asked();
  for (const type of ['12', '33', '16', '1', '28']) {
    assert.deepEqual(
      asked.filter((line) => line.startsWith(`${type} `)),
      [50_020, 51_020, 53_020, 57_020].map((atMs) => `${type} at ${atMs}`),
    );
  }
  assert.ok([pointer, srv, txt, a, aaaa].every((record) => run.has(record)));
  run.runTo(60_000);
  assert.equal(run.state.cache.size, 0);
});

test('RFC 6762 §10.4: what answers stays, and is asked for no more', () => {
  const run = knowing();
  run.runTo(5000);
  run.doubt(instance);
  run.runTo(5500);
  const [question] = run.sent.filter(({ atMs }) => atMs === 5020);
  assert.deepEqual(question!.message.answers, [], 'it is not said to be known');
  run.hear(whole);
  run.sent.length = 0;
  run.runTo(60_000);
  assert.ok(run.asked().every((line) => line.startsWith('12 ')));
  assert.ok([pointer, srv, txt, a, aaaa].every((record) => run.has(record)));
});

test('RFC 6762 §10.4: doubt of one instance touches no other, and doubt of an unknown one nothing', () => {
  const second = ['Other', ...httpType];
  const others: ResourceRecord[] = [
    { ...pointer, data: { kind: 'ptr', target: second } },
    { ...srv, name: second, data: { ...srv.data, target: ['other', 'local'] } as typeof srv.data },
    { ...txt, name: second },
  ];
  const run = knowing();
  run.hear(response({ answers: others }));
  run.doubt(instance);
  run.doubt(['Nobody', ...httpType]);
  run.runTo(60_000);
  assert.deepEqual(run.state.wanted.instances, [second]);
});

test('RFC 6762 §10.3: on another network everything is asked for again from the start', () => {
  const run = knowing();
  run.runTo(1_000_000);
  run.hear(whole);
  run.sent.length = 0;
  run.move();
  run.runTo(1_004_000);
  assert.deepEqual(run.asked(), ['12 at 1000020', '12 at 1001020', '12 at 1003020']);
});
