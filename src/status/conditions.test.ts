import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boxFacts,
  diskFacts,
  healthyFacts,
  peerFacts,
  unclaimedFacts,
  volumeFacts,
} from '../testing/appliance-facts.ts';
import { foldStatus } from './appliance-status.ts';
import { type Condition, conditionCodes } from './condition.ts';
import { conditionsOf } from './conditions.ts';
import {
  type ApplianceFacts,
  type HardwareFacts,
  noUpdate,
  type UpdateFacts,
  unknownHardware,
} from './facts.ts';

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

test('no interface is no link, and interfaces without an address are no network', () => {
  const cases = [
    { interfaces: [], code: 'NO_LINK' },
    { interfaces: [{ name: 'eth0', addresses: [], linkLocal: null }], code: 'NO_NETWORK' },
  ];
  for (const { interfaces, code } of cases) {
    const condition = only({ ...healthyFacts, network: { ...healthyFacts.network, interfaces } });
    assert.deepEqual([condition.code, condition.severity], [code, 'warning']);
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
  assert.match(condition.help, /the other boxes hold copies\.$/);
  const copying = conditionsOf({ ...healthyFacts, volumes, copies: { missing: 3, copying: true } });
  const failed = copying.find(({ code }) => code === 'DISK_FAILED');
  assert.match(failed?.help ?? '', /not everything has a copy on another box\.$/);
  assert.deepEqual(brief({ ...healthyFacts, volumes, peers: [] }), [
    'critical DISK_FAILED',
    'notice POOL_OF_ONE',
  ]);
  assert.deepEqual(brief({ ...unclaimedFacts, volumes }), ['warning DISK_FAILED', 'notice NOT_CLAIMED']);
});

test('a box without a working disk is critical, however many copies there are', () => {
  const failed = [volumeFacts('disk1', { state: 'failed' }), volumeFacts('disk2', { state: 'failed' })];
  assert.deepEqual(brief({ ...healthyFacts, volumes: failed }), ['critical DISKS_GONE']);
});

test('a box that never had a disk has no data at risk; once it belongs to a pool a person should give it one', () => {
  assert.deepEqual(brief({ ...healthyFacts, volumes: [] }), ['warning NO_DISK']);
  assert.deepEqual(brief({ ...unclaimedFacts, volumes: [] }), ['notice NOT_CLAIMED', 'notice NO_DISK']);
  assert.equal(foldStatus({ ...unclaimedFacts, volumes: [] }).light.kind, 'unclaimed');
});

test('in safe mode nothing else is said, and the lights ask for a person by eight flashes', () => {
  const safe = { ...unclaimedFacts, box: boxFacts({ phase: 'safe' }), volumes: [] };
  assert.deepEqual(brief(safe), ['warning SAFE_MODE']);
  assert.deepEqual(foldStatus(safe).light, { kind: 'attention', flashes: 8 });
  assert.match(foldStatus(safe).headline, /safe mode/);
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
      'NO_LINK',
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

test('a disk that was pulled is a warning, and critical when it held the only copy', () => {
  const volumes = [volumeFacts('disk1', { state: 'missing' }), volumeFacts('disk2')];
  const condition = only({ ...healthyFacts, volumes });
  assert.deepEqual(
    [condition.code, condition.severity, condition.subject],
    ['DISK_MISSING', 'warning', 'disk1'],
  );
  assert.equal(condition.message, 'Disk disk1 is not attached any more; the box goes on without it.');
  assert.equal(brief({ ...healthyFacts, volumes, peers: [] })[0], 'critical DISK_MISSING');
  const all = [volumeFacts('disk1', { state: 'missing' })];
  assert.deepEqual(brief({ ...healthyFacts, volumes: all }), ['critical DISKS_GONE']);
});

test('a disk that is attached and cannot be mounted is not said to be away, and nobody is told to attach it', () => {
  const content = 'ext4 file system "aether-438b84"';
  const disks = [diskFacts('sda', { role: 'foreign', content }), diskFacts('sdb', { volume: 'disk2' })];
  const error = 'its file system has errors that are not mended by themselves';
  const broken = volumeFacts('aether-438b84', { state: 'failed', error });
  const volumes = [broken, volumeFacts('disk2')];
  const condition = only({ ...healthyFacts, volumes, disks });
  assert.deepEqual([condition.code, condition.severity], ['DISK_FAILED', 'warning']);
  assert.equal(
    condition.message,
    'Disk aether-438b84 is attached and cannot be mounted: its file system has errors that are not mended by themselves.',
  );
  assert.equal(
    condition.help,
    'Check its cable and power, and plug it in again; if that does not help, make it blank and take it as a new one; the other boxes hold copies.',
  );
  const [alone] = conditionsOf({ ...healthyFacts, volumes, disks, peers: [] });
  assert.equal(alone!.severity, 'critical');
  assert.doesNotMatch(alone!.help, /blank/, 'what cannot be had elsewhere is not to be erased');

  const absent = volumeFacts('disk2', { state: 'missing', error: 'disk2: ENOENT' });
  for (const gone of [[broken], [absent, broken]]) {
    const all = only({ ...healthyFacts, volumes: gone, disks });
    assert.equal(
      all.message,
      `No disk of this box works any more: aether-438b84 is attached and cannot be mounted: ${error}.`,
    );
    assert.match(all.help, /plug it in again; .* make it blank/);
  }
  const pulled = only({ ...healthyFacts, volumes: [absent], disks: [] });
  assert.equal(pulled.message, 'No disk of this box works any more: disk2 is not attached any more.');
});

test('a disk that is attached and still being checked is left where it is', () => {
  const volumes = [volumeFacts('aether-438b84', { state: 'missing' }), volumeFacts('disk2')];
  const disks = [diskFacts('sda', { role: 'foreign', content: 'ext4 file system "aether-438b84"' })];
  const condition = only({ ...healthyFacts, volumes, disks });
  assert.equal(condition.code, 'DISK_MISSING');
  assert.match(condition.message, /^Disk aether-438b84 is attached and not mounted yet;/);
  assert.match(condition.help, /^Leave it attached/);
});

test('a disk that is empty after its retirement may be pulled', () => {
  const volumes = [volumeFacts('disk1', { state: 'retired' }), volumeFacts('disk2')];
  assert.deepEqual(brief({ ...healthyFacts, volumes }), ['notice DISK_RETIRED']);
  const staying = [volumeFacts('disk1', { error: 'the others are full' }), volumeFacts('disk2')];
  assert.deepEqual(brief({ ...healthyFacts, volumes: staying }), ['notice DISK_NOT_RETIRED']);
});

test('a disk that speaks ill of itself is named as a person knows it, with what it says', () => {
  const smart = {
    passed: true,
    warnings: ['8 sectors cannot be read'],
    temperatureCelsius: 31,
    powerOnHours: 1,
  };
  const disks = [diskFacts('sda', { volume: 'disk1', smart })];
  const condition = only({ ...healthyFacts, disks });
  assert.deepEqual([condition.code, condition.subject], ['DISK_FAILING', 'disk1']);
  assert.match(
    condition.message,
    /disk1 \(Samsung Portable SSD T7\) may fail soon: 8 sectors cannot be read\./,
  );
  const failed = only({
    ...healthyFacts,
    disks: [diskFacts('sda', { smart: { ...smart, passed: false, warnings: [] } })],
  });
  assert.match(failed.message, /sda .* is failing: it says so itself\./);
  const foreign = [diskFacts('sda', { role: 'foreign', smart: { ...smart, passed: false } })];
  assert.deepEqual(brief({ ...healthyFacts, disks: foreign }), [], 'a disk that is not ours is left alone');
});

test('errors of a disk are news from the third in an hour on', () => {
  const errors = (errorsPerHour: number) =>
    brief({ ...healthyFacts, disks: [diskFacts('sda', { errorsPerHour })] });
  assert.deepEqual(errors(2), []);
  assert.deepEqual(errors(3), ['warning DISK_ERRORS']);
});

test('a blank disk is offered, a disk with something on it is not', () => {
  const disks = [diskFacts('sdc', { role: 'blank', content: null }), diskFacts('sdd', { role: 'foreign' })];
  const condition = only({ ...healthyFacts, disks });
  assert.deepEqual([condition.code, condition.severity, condition.subject], ['DISK_BLANK', 'notice', 'sdc']);
  assert.match(condition.help, /disks adopt sdc/);
});

test('heat, a weak power supply, an unset clock, little memory and damaged packets are told', () => {
  const hardware = (changes: Partial<HardwareFacts>) =>
    brief({ ...healthyFacts, hardware: { ...healthyFacts.hardware, ...changes } });
  assert.deepEqual(hardware({ temperatureCelsius: 79 }), []);
  assert.deepEqual(hardware({ temperatureCelsius: 80 }), ['warning TOO_HOT']);
  assert.deepEqual(hardware({ underVoltage: 'now' }), ['warning UNDER_VOLTED']);
  assert.deepEqual(hardware({ underVoltage: 'before' }), ['notice UNDER_VOLTED']);
  assert.deepEqual(hardware({ clock: 'unset' }), ['warning CLOCK_UNSET']);
  assert.deepEqual(hardware({ clock: 'holdover' }), ['notice CLOCK_UNSET']);
  assert.deepEqual(hardware({ clock: 'free' }), []);
  assert.deepEqual(hardware({ memory: { totalBytes: 1000, availableBytes: 49 } }), ['notice MEMORY_LOW']);
  assert.deepEqual(hardware({ recordsSpace: { totalBytes: 1e9, freeBytes: 3e7 } }), [
    'warning RECORDS_NO_ROOM',
  ]);
  assert.deepEqual(hardware({ recordsSpace: { totalBytes: 1e9, freeBytes: 4e7 } }), []);
  assert.deepEqual(hardware({ recordsReadOnly: true }), ['warning RECORDS_READ_ONLY']);
  assert.deepEqual(hardware({ networkErrors: [{ interface: 'eth0', perMinute: 7 }] }), [
    'notice NETWORK_ERRORS',
  ]);
  assert.deepEqual(brief({ ...healthyFacts, hardware: unknownHardware }), [], 'what is not known is no news');
});

test('an update that waits is a notice, one that was rolled back a warning with the reason', () => {
  const update = (changes: Partial<UpdateFacts>) =>
    only({ ...healthyFacts, update: { ...noUpdate, version: '0.2.0', ...changes } });
  assert.match(update({ state: 'staged' }).message, /0\.2\.0 is ready/);
  const due = update({ state: 'restart-due' });
  assert.match(due.message, /0\.2\.0 is installed: the box starts again by itself/);
  assert.match(due.help, /shut it down, unplug it/);
  const rolledBack = update({ state: 'rolled-back', reason: 'no disk could be opened' });
  assert.deepEqual([rolledBack.code, rolledBack.severity], ['UPDATE_ROLLED_BACK', 'warning']);
  assert.match(rolledBack.message, /did not work: no disk could be opened;/);
});

test('the hour of an update is told; one that was not installed, and a box that takes none, are warnings with the reason', () => {
  const update = (changes: Partial<UpdateFacts>) =>
    only({ ...healthyFacts, update: { ...noUpdate, ...changes } });
  const staged = { state: 'staged', version: '0.2.0' } as const;
  const atMs = Date.UTC(2027, 0, 5, 3, 30);
  const waiting = update({ ...staged, atMs });
  assert.deepEqual([waiting.code, waiting.severity], ['UPDATE_WAITING', 'notice']);
  assert.match(waiting.help, /installed at 2027-01-05 03:30 UTC/);
  const refused = update({ ...staged, reason: 'the card is full' });
  assert.deepEqual([refused.code, refused.severity], ['UPDATE_NOT_INSTALLED', 'warning']);
  assert.match(refused.message, /0\.2\.0 was not installed: the card is full/);
  assert.match(
    update({ ...staged, atMs, reason: 'it was interrupted' }).help,
    /tried at 2027-01-05 03:30 UTC/,
  );
  const none = update({ reason: 'the updater does not answer' });
  assert.deepEqual([none.code, none.severity], ['UPDATES_UNAVAILABLE', 'warning']);
  assert.match(none.message, /cannot be updated: the updater does not answer/);
  const stick = update({ stickProblem: 'the update is for another kind of box' });
  assert.deepEqual([stick.code, stick.severity], ['STICK_NOT_TAKEN', 'warning']);
  assert.match(stick.message, /stick was not taken: the update is for another kind of box\.$/);
});

test('what a person has acknowledged comes after what nobody has, within its severity', () => {
  const peers = [
    peerFacts('aether-7b10', { reachable: false }),
    peerFacts('aether-c4e9', { reachable: false }),
  ];
  const conditions = conditionsOf({ ...healthyFacts, peers, acknowledged: ['BOX_AWAY:aether-7b10'] });
  assert.deepEqual(
    conditions.map(({ subject, acknowledged }) => [subject, acknowledged]),
    [
      ['aether-c4e9', false],
      ['aether-7b10', true],
    ],
  );
});
