import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gateCrashFreeMs, gatePatienceMs } from '../../base/face-limits.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import { healthyFacts, peerFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { type GateInput, judge } from './health-gate.ts';

const good: GateInput = {
  uptimeMs: gateCrashFreeMs,
  status: foldStatus(healthyFacts),
  hadPeers: false,
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

test('a disk that was pulled meanwhile, and boxes that never were there, are no fault of the version', () => {
  const missing = statusWith({ volumes: [volumeFacts('photos', { state: 'missing' })] });
  assert.equal(judge({ ...good, status: missing }).kind, 'good');
  assert.equal(judge({ ...good, hadPeers: false, status: statusWith({ peers: [] }) }).kind, 'good');
});
