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
  unreadable: [],
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
    [{ unreadable: ['photos'] }, /nothing could be read from disk photos/],
    [{ unreadable: undefined }, /nobody could say/],
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
  const volumes = (states: Readonly<Record<string, 'ok' | 'failed' | 'missing' | 'retired'>>) => ({
    volumes: Object.entries(states).map(([name, state]) => volumeFacts(name, { state })),
  });
  const offline = { network: { ...healthyFacts.network, interfaces: [] } };
  const states = { photos: 'failed', films: 'ok', old: 'retired', notes: 'ok' } as const;
  const before = boxBefore(statusWith({ ...volumes(states), ...offline }), ['notes']);
  assert.deepEqual(before, {
    servedVolumes: ['films', 'notes'],
    unreadableVolumes: ['notes'],
    network: false,
  });
  const pulled = { photos: 'failed', films: 'ok', old: 'missing', notes: 'ok' } as const;
  const still = { ...good, status: statusWith({ ...volumes(pulled), ...offline }), unreadable: ['notes'] };
  assert.equal(judge({ ...still, before }).kind, 'good');
  assert.equal(judge({ ...still, before: null }).kind, 'waiting', 'where nobody noted it, all is asked');
  const worse: readonly (readonly [Partial<GateInput>, string])[] = [
    [{ status: statusWith(volumes({ ...states, films: 'failed' })) }, 'disk films could not be opened'],
    [{ status: statusWith(volumes({ ...states, films: 'missing' })) }, 'disk films was not found'],
    [{ status: statusWith({ volumes: [] }) }, 'disk films was not found'],
    [{ unreadable: ['notes', 'films'] }, 'nothing could be read from disk films'],
    [{ unreadable: undefined }, 'nobody could say whether its disks can be read'],
  ];
  for (const [changes, lacks] of worse)
    assert.deepEqual(judge({ ...still, before, uptimeMs: gatePatienceMs, ...changes }), {
      kind: 'bad',
      lacks,
    });
  const online = boxBefore(statusWith({}), []);
  assert.equal(judge({ ...good, status: statusWith(offline), before: online }).kind, 'waiting');
  const unknown = boxBefore(statusWith(volumes(states)), undefined);
  assert.deepEqual(unknown.unreadableVolumes, ['films', 'notes'], 'what could not be read before');
});

test('where nobody noted how it was, a disk that is away and boxes that never were there are no fault', () => {
  const missing = statusWith({ volumes: [volumeFacts('photos', { state: 'missing' })] });
  assert.equal(judge({ ...good, status: missing }).kind, 'good');
  assert.equal(judge({ ...good, hadPeers: false, status: statusWith({ peers: [] }) }).kind, 'good');
});
