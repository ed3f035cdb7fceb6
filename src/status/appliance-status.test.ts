import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts';
import {
  boxFacts,
  healthyFacts,
  peerFacts,
  unclaimedFacts,
  volumeFacts,
} from '../testing/appliance-facts.ts';
import { foldStatus } from './appliance-status.ts';
import type { ApplianceFacts, BoxPhase } from './facts.ts';
import { statusFromCbor, statusToCbor } from './status-codec.ts';

const failedDisk: Partial<ApplianceFacts> = {
  volumes: [volumeFacts('disk1', { state: 'failed' }), volumeFacts('disk2')],
};

test('a healthy box says so, with how many boxes and copies', () => {
  const status = foldStatus(healthyFacts);
  assert.equal(status.worst, 'ok');
  assert.equal(status.headline, 'All is well: 3 boxes, new files kept on 2.');
  assert.equal(status.help, '');
  assert.deepEqual(status.light, { kind: 'healthy' });
  assert.equal(status.pool?.boxes, 3);
  assert.equal(status.pool?.boxesReachable, 3);
});

test('the worst condition gives severity, headline and help', () => {
  const status = foldStatus({ ...healthyFacts, ...failedDisk });
  assert.equal(status.worst, 'warning');
  assert.equal(status.headline, status.conditions[0]!.message);
  assert.equal(status.help, status.conditions[0]!.help);
});

test('the capacity of a box leaves out disks that failed', () => {
  const { capacity } = foldStatus({ ...healthyFacts, ...failedDisk });
  assert.equal(capacity.totalBytes, 950 * 1024 ** 3);
  assert.equal(capacity.usedBytes + capacity.freeBytes, capacity.totalBytes);
});

test('while it does not run normally, the phase is the headline', () => {
  const headline = (phase: BoxPhase) => foldStatus({ ...healthyFacts, box: boxFacts({ phase }) }).headline;
  assert.match(headline('starting'), /starting/);
  assert.match(headline('updating'), /do not unplug/);
  assert.match(headline('stopping'), /do not unplug/);
  assert.match(headline('stopped'), /safe to unplug/);
});

test('the lights say one thing, the most urgent', () => {
  const light = (facts: Partial<ApplianceFacts>) => foldStatus({ ...healthyFacts, ...facts }).light;
  const phase = (value: BoxPhase) => ({ box: boxFacts({ phase: value }) });
  assert.deepEqual(light(phase('starting')), { kind: 'booting' });
  assert.deepEqual(light(phase('updating')), { kind: 'updating' });
  assert.deepEqual(light(phase('stopping')), { kind: 'working' });
  assert.deepEqual(light(phase('stopped')), { kind: 'off' });
  assert.deepEqual(light({ copies: { missing: 0, copying: true } }), { kind: 'working' });
  assert.deepEqual(foldStatus(unclaimedFacts).light, { kind: 'unclaimed' });
  assert.deepEqual(light(failedDisk), { kind: 'attention', flashes: 3 });
  assert.deepEqual(light({ ...failedDisk, peers: [] }), { kind: 'data-at-risk' });
  assert.deepEqual(light({ ...failedDisk, box: boxFacts({ identifying: true }) }), { kind: 'identify' });
  assert.deepEqual(light({ peers: [] }), { kind: 'healthy' }, 'a notice is told in words only');
  const away = [peerFacts('aether-7b10', { reachable: false })];
  assert.deepEqual(light({ peers: away }), { kind: 'attention', flashes: 2 });
});

test('a status goes through CBOR and JSON unchanged', () => {
  for (const facts of [healthyFacts, unclaimedFacts, { ...healthyFacts, ...failedDisk }]) {
    const status = foldStatus(facts);
    assert.deepEqual(statusFromCbor(decodeCbor(encodeCbor(statusToCbor(status)))), status);
    assert.deepEqual(JSON.parse(JSON.stringify(status)), status);
  }
});

test('fractions of a millisecond are left out, so that times stay whole on the wire', () => {
  const status = foldStatus({
    ...healthyFacts,
    box: boxFacts({ uptimeMs: 1000.25 }),
    peers: [peerFacts('aether-7b10', { lastSeenAgoMs: 3.5 })],
    pairing: { locked: true, lockedForMs: 9.75, codeShown: false },
  });
  assert.deepEqual(statusFromCbor(decodeCbor(encodeCbor(statusToCbor(status)))), status);
  assert.equal(status.box.uptimeMs, 1000);
});

test('a status of another version, or with a wrong field, is refused', () => {
  const status = statusToCbor(foldStatus(healthyFacts)) as { [key: string]: CborValue };
  assert.throws(() => statusFromCbor({ ...status, v: 2 }), { code: 'STATUS_VERSION_UNKNOWN' });
  for (const wrong of [{ worst: 'fine' }, { box: null }, { volumes: [1] }, { network: { interfaces: [] } }]) {
    assert.throws(
      () => statusFromCbor({ ...status, ...wrong }),
      { code: 'CBOR_INVALID' },
      JSON.stringify(wrong),
    );
  }
});

test('words that only a newer box knows are left open where nothing hangs on them', () => {
  const facts = { ...healthyFacts, hardware: { ...healthyFacts.hardware, clock: 'synchronised' as const } };
  const status = statusToCbor(foldStatus(facts)) as { [key: string]: CborValue };
  const hardware = { ...(status.hardware as object), clock: 'atomic', underVoltage: 'soon' };
  const read = statusFromCbor({ ...status, hardware });
  assert.deepEqual([read.hardware.clock, read.hardware.underVoltage], [null, null]);
});

test('fields that only a newer box knows are left out', () => {
  const status = foldStatus(healthyFacts);
  assert.deepEqual(statusFromCbor({ ...(statusToCbor(status) as object), hot: true }), status);
});

test('the lights are silent about what a person has seen, unless data is at risk', () => {
  const seen = { acknowledged: ['DISK_FAILED:disk1'] };
  assert.deepEqual(foldStatus({ ...healthyFacts, ...failedDisk, ...seen }).light, { kind: 'healthy' });
  const alone = { ...healthyFacts, ...failedDisk, ...seen, peers: [] };
  assert.deepEqual(foldStatus(alone).light, { kind: 'data-at-risk' });
});

test('time left is told once a hundredth is done', () => {
  const work = (doneBytes: number) =>
    foldStatus({
      ...healthyFacts,
      work: [{ kind: 'retire', subject: 'disk1', doneBytes, totalBytes: 1000, sinceMs: 5000.5 }],
    }).work[0]!.leftMs;
  assert.equal(work(0), null);
  assert.equal(work(9), null);
  assert.equal(work(250), 15_000);
  assert.equal(work(1000), 0);
});
