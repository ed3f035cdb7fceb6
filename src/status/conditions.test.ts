import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boxFacts,
  healthyFacts,
  peerFacts,
  unclaimedFacts,
  volumeFacts,
} from '../testing/appliance-facts.ts';
import { type Condition, conditionCodes, conditionsOf } from './conditions.ts';
import type { ApplianceFacts } from './facts.ts';

const gibibyte = 1024 ** 3;

function only(facts: ApplianceFacts): Condition {
  const conditions = conditionsOf(facts);
  assert.equal(conditions.length, 1, JSON.stringify(conditions));
  return conditions[0]!;
}

function brief(facts: ApplianceFacts): readonly string[] {
  return conditionsOf(facts).map((each) => `${each.severity} ${each.code}`);
}

test('a healthy box has nothing to say', () => {
  assert.deepEqual(conditionsOf(healthyFacts), []);
});

test('a box that nobody has claimed says how to claim it', () => {
  const condition = only(unclaimedFacts);
  assert.equal(condition.code, 'NOT_CLAIMED');
  assert.equal(condition.severity, 'notice');
  assert.match(condition.help, /aether claim aether-3f2a/);
});

test('interfaces without an address are no network', () => {
  for (const interfaces of [[], [{ name: 'eth0', addresses: [], linkLocal: null }]]) {
    const condition = only({ ...healthyFacts, network: { ...healthyFacts.network, interfaces } });
    assert.deepEqual([condition.code, condition.severity], ['NO_NETWORK', 'warning']);
  }
});

test('a failed disk is a warning while other boxes hold copies, and critical when none does', () => {
  const volumes = [
    volumeFacts('disk1', { state: 'failed', error: 'input/output error' }),
    volumeFacts('disk2'),
  ];
  const condition = only({ ...healthyFacts, volumes });
  assert.deepEqual(
    [condition.code, condition.severity, condition.subject],
    ['DISK_FAILED', 'warning', 'disk1'],
  );
  assert.match(condition.message, /disk1 has failed \(input\/output error\)/);
  assert.deepEqual(brief({ ...healthyFacts, volumes, peers: [] }), [
    'critical DISK_FAILED',
    'notice POOL_OF_ONE',
  ]);
  assert.deepEqual(brief({ ...unclaimedFacts, volumes }), ['warning DISK_FAILED', 'notice NOT_CLAIMED']);
});

test('a box without a working disk is critical, however many copies there are', () => {
  assert.deepEqual(brief({ ...healthyFacts, volumes: [] }), ['critical DISKS_GONE']);
  const failed = [volumeFacts('disk1', { state: 'failed' }), volumeFacts('disk2', { state: 'failed' })];
  assert.deepEqual(brief({ ...healthyFacts, volumes: failed }), ['critical DISKS_GONE']);
});

test('a full disk is a warning only when no other disk of the box has room', () => {
  const full = volumeFacts('disk1', { state: 'full', usedBytes: 950 * gibibyte });
  const roomy = only({ ...healthyFacts, volumes: [full, volumeFacts('disk2')] });
  assert.deepEqual([roomy.code, roomy.severity], ['DISK_FULL', 'notice']);
  const condition = only({ ...healthyFacts, volumes: [full] });
  assert.deepEqual([condition.code, condition.severity], ['DISK_FULL', 'warning']);
  assert.match(condition.message, /950\.0 GiB/);
});

test('a disk is nearly full from nine tenths on', () => {
  const below = volumeFacts('disk1', { capacityBytes: 1000, usedBytes: 899 });
  assert.deepEqual(conditionsOf({ ...healthyFacts, volumes: [below] }), []);
  const at = volumeFacts('disk1', { capacityBytes: 1000, usedBytes: 900 });
  assert.deepEqual(brief({ ...healthyFacts, volumes: [at] }), ['notice DISK_NEARLY_FULL']);
});

test('each box that is away is named, with when it last answered', () => {
  const peers = [
    peerFacts('aether-7b10', { reachable: false, lastSeenAgoMs: 125_000 }),
    peerFacts('aether-c4e9', { reachable: false, lastSeenAgoMs: null }),
    peerFacts('aether-0001'),
  ];
  const conditions = conditionsOf({ ...healthyFacts, peers });
  assert.deepEqual(
    conditions.map((each) => [each.code, each.severity, each.message, each.help.split('; ')[1]]),
    [
      ['BOX_AWAY', 'warning', 'Box aether-7b10 is away.', 'it last answered 2 minutes ago.'],
      ['BOX_AWAY', 'warning', 'Box aether-c4e9 is away.', 'it has not answered since this box started.'],
    ],
  );
});

test('a box that has just started does not miss its peers yet', () => {
  const peers = [peerFacts('aether-7b10', { reachable: false, lastSeenAgoMs: null })];
  const young = { ...healthyFacts, peers, box: boxFacts({ uptimeMs: 14_999 }) };
  assert.deepEqual(conditionsOf(young), []);
  assert.deepEqual(brief({ ...young, box: boxFacts({ uptimeMs: 15_000 }) }), ['warning BOX_AWAY']);
});

test('a pool of one box has one copy, and missing copies are not told on top of that', () => {
  const facts = { ...healthyFacts, peers: [], copies: { missing: 7, copying: false } };
  assert.deepEqual(brief(facts), ['notice POOL_OF_ONE']);
});

test('a box that has just started and not met its peers does not know what they lack', () => {
  const copies = { missing: 7, copying: false };
  const peers = [peerFacts('aether-7b10', { reachable: false })];
  const young = { ...healthyFacts, peers, copies, box: boxFacts({ uptimeMs: 14_999 }) };
  assert.deepEqual(brief(young), []);
  assert.deepEqual(brief({ ...young, peers: [peerFacts('aether-7b10')] }), ['warning COPIES_MISSING']);
});

test('missing copies are counted, and who can bring them is named', () => {
  const copies = { missing: 7, copying: false };
  const condition = only({ ...healthyFacts, copies });
  assert.deepEqual([condition.code, condition.severity], ['COPIES_MISSING', 'warning']);
  assert.equal(condition.message, '7 pieces of data have fewer than 2 copies.');
  const away = [peerFacts('aether-7b10', { reachable: false })];
  const conditions = conditionsOf({ ...healthyFacts, copies, peers: away });
  assert.match(conditions.find((each) => each.code === 'COPIES_MISSING')!.help, /away/);
});

test('damaged records are counted a disk', () => {
  const volumes = [volumeFacts('disk1', { corruptRecords: 1 }), volumeFacts('disk2')];
  const condition = only({ ...healthyFacts, volumes });
  assert.deepEqual([condition.code, condition.severity], ['RECORDS_CORRUPT', 'warning']);
  assert.match(condition.message, /1 damaged record\.$/);
  assert.equal(brief({ ...healthyFacts, volumes, peers: [] })[0], 'critical RECORDS_CORRUPT');
});

test('locked pairing says how long it stays locked', () => {
  const pairing = { locked: true, lockedForMs: 14 * 60_000, codeShown: false };
  const condition = only({ ...healthyFacts, pairing });
  assert.deepEqual([condition.code, condition.severity], ['PAIRING_LOCKED', 'notice']);
  assert.match(condition.help, /^Wait 14 min,/);
});

test('the worst comes first, and every condition says what to do in a sentence', () => {
  const facts: ApplianceFacts = {
    ...healthyFacts,
    volumes: [
      volumeFacts('disk1', { state: 'failed', corruptRecords: 2 }),
      volumeFacts('disk2', { state: 'full' }),
    ],
    peers: [peerFacts('aether-7b10', { reachable: false })],
    network: { ...healthyFacts.network, interfaces: [] },
    copies: { missing: 1, copying: true },
    pairing: { locked: true, lockedForMs: null, codeShown: false },
  };
  const conditions = conditionsOf(facts);
  assert.deepEqual(
    conditions.map((each) => each.code),
    [
      'DISK_FAILED',
      'RECORDS_CORRUPT',
      'COPIES_MISSING',
      'NO_NETWORK',
      'DISK_FULL',
      'BOX_AWAY',
      'PAIRING_LOCKED',
    ],
  );
  for (const each of conditions) {
    assert.ok(conditionCodes.includes(each.code));
    assert.match(each.message, /^[A-Z0-9].*\.$/);
    assert.match(each.help, /^[A-Z].*\.$/);
  }
});
