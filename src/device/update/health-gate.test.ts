import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateCrashFreeMs, gatePatienceMs } from '../../base/face-limits.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import { healthyFacts, peerFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { boxBefore, type GateInput, judge } from './health-gate.ts';

const good: GateInput = {
  uptimeMs: gateCrashFreeMs,
  status: foldStatus(healthyFacts),
  hadPeers: false,
  before: null,
  chunkRead: true,
};

function statusWith(changes: Partial<typeof healthyFacts>) {
  return foldStatus({ ...healthyFacts, ...changes });
}

test('a box that has all it had, and a minute without a crash, is good', () => {
  assert.deepEqual(judge(good), { kind: 'good' });
  assert.equal(judge({ ...good, uptimeMs: gateCrashFreeMs - 1 }).kind, 'waiting');
});

test('whatever it lacks is waited for ten minutes, and named', () => {
  const lacking: readonly (readonly [Partial<GateInput>, RegExp])[] = [
    [{ status: statusWith({ volumes: [volumeFacts('photos', { state: 'failed' })] }) }, /disk photos/],
    [{ status: statusWith({ network: { ...healthyFacts.network, interfaces: [] } }) }, /no network/],
    [
      { hadPeers: true, status: statusWith({ peers: [peerFacts('attic', { reachable: false })] }) },
      /no other box/,
    ],
    [{ chunkRead: false }, /nothing could be read/],
  ];
  for (const [changes, words] of lacking) {
    const waiting = judge({ ...good, ...changes });
    assert.equal(waiting.kind, 'waiting');
    const given = judge({ ...good, ...changes, uptimeMs: gatePatienceMs });
    assert.equal(given.kind, 'bad');
    assert.match(given.kind === 'bad' ? given.lacks : '', words);
  }
});

test('what a box lacked before the update is no fault of the version; what got worse is', () => {
  const failed = (...names: readonly string[]) => ({
    volumes: names.map((name) => volumeFacts(name, { state: 'failed' })),
  });
  const offline = { network: { ...healthyFacts.network, interfaces: [] } };
  const before = boxBefore(statusWith({ ...failed('photos'), ...offline }), false);
  assert.deepEqual(before, { failedVolumes: ['photos'], network: false, readsWell: false });
  const still = { ...good, status: statusWith({ ...failed('photos'), ...offline }), chunkRead: false };
  assert.equal(judge({ ...still, before }).kind, 'good');
  assert.equal(judge({ ...still, before: null }).kind, 'waiting', 'where nobody noted it, all is asked');
  const worse = { ...good, before, uptimeMs: gatePatienceMs, status: statusWith(failed('photos', 'films')) };
  assert.deepEqual(judge(worse), { kind: 'bad', lacks: 'disk films could not be opened' });
  const was = boxBefore(statusWith({}), true);
  assert.deepEqual(was, { failedVolumes: [], network: true, readsWell: true });
  for (const each of [{ status: statusWith(offline) }, { chunkRead: false }])
    assert.equal(judge({ ...good, ...each, before: was }).kind, 'waiting');
});

test('a disk that was pulled meanwhile, and boxes that never were there, are no fault of the version', () => {
  const missing = statusWith({ volumes: [volumeFacts('photos', { state: 'missing' })] });
  assert.equal(judge({ ...good, status: missing }).kind, 'good');
  assert.equal(judge({ ...good, hadPeers: false, status: statusWith({ peers: [] }) }).kind, 'good');
});
