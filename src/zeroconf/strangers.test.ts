// What strangers sent that once was too much: found by fuzzing, one test each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mdnsPacketBytesMax } from '../base/discovery-limits.ts';
import { craftedDns, textThatIsItsOwnName } from '../testing/fuzz/crafted-dns.ts';
import { askOne, host, httpType, instance } from '../testing/publisher-run.ts';
import { QuerierRun } from '../testing/querier-run.ts';
import { decodeMessage } from './dns/decoder.ts';
import { encodePackets } from './dns/encoder.ts';
import { query, type RecordData, recordType, response } from './dns/message.ts';
import { withServicesOf } from './dnssd/found-services.ts';
import { lookUp } from './mdns/cache.ts';
import { sharedRecord } from './mdns/records.ts';

const pointerTo = (target: readonly string[]) => sharedRecord(httpType, 4500, { kind: 'ptr', target });

test('a TXT record that no packet of ours could say again is not kept, so no question has to name it', () => {
  const big = decodeMessage(textThatIsItsOwnName()).answers[0]!;
  const small = { ...big, data: { kind: 'txt', strings: [new Uint8Array(1)] } satisfies RecordData };
  const run = new QuerierRun();
  run.hear(response({ answers: [pointerTo(big.name), small] }));
  run.runTo(7000);
  run.hear(response({ answers: [big] }));
  run.sent.length = 0;
  // The small one's renewal is asked for, and what is known beside it would be said.
  run.runTo(9000);
  const questions = run.sent.flatMap(({ message }) => message.questions.map(({ type }) => type));
  assert.ok(questions.includes(recordType.txt));
  for (const { message } of run.sent) encodePackets(message, mdnsPacketBytesMax);
});

test('a TXT record of thousands of strings is not kept', () => {
  const run = new QuerierRun();
  const strings = new Array<Uint8Array>(8800).fill(new Uint8Array(0));
  run.hear(
    response({ answers: [pointerTo(instance), sharedRecord(instance, 4500, { kind: 'txt', strings })] }),
  );
  assert.deepEqual(lookUp(run.state.cache, instance, recordType.txt), []);
});

test('an NSEC record of 65,536 types is carried as it is, not as a list of them', () => {
  const packet = craftedDns().find(({ name }) => name === 'nsec-of-65536-types')!;
  assert.deepEqual(
    decodeMessage(packet.bytes).answers.map(({ data }) => data.kind),
    ['ptr', 'opaque'],
  );
});

test('a service on a host of hundreds of addresses is told with the 16 that were heard last', () => {
  const run = new QuerierRun();
  const srv = { kind: 'srv', priority: 0, weight: 0, port: 80, target: host } as const;
  const service = [
    pointerTo(instance),
    sharedRecord(instance, 120, srv),
    sharedRecord(instance, 120, { kind: 'txt', strings: [new Uint8Array(0)] }),
  ];
  const addresses = Array.from({ length: 200 }, (_, index) =>
    sharedRecord(host, 120, { kind: 'a', address: `10.0.0.${index}` }),
  );
  run.hear(response({ answers: [...service, ...addresses] }));
  const [found] = withServicesOf(new Map(), run.state, 'eth0').values();
  assert.deepEqual(
    new Set(found!.addresses.map(({ address }) => address)),
    new Set(Array.from({ length: 16 }, (_, index) => `10.0.0.${184 + index}`)),
  );
});

test('a question asked a thousand times in one message counts once (RFC 6762 §10.5)', () => {
  const run = new QuerierRun();
  run.hear(response({ answers: [pointerTo(instance)] }));
  const [question] = askOne(httpType, recordType.ptr).questions;
  run.hear(query({ questions: new Array(1000).fill(question) }));
  const [cached] = lookUp(run.state.cache, httpType, recordType.ptr);
  assert.equal(cached!.unanswered, 1);
});
