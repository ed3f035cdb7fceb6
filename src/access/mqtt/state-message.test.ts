import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttTextCharactersMax } from '../../base/face-limits.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import type { ApplianceFacts, UpdateFacts } from '../../status/facts.ts';
import { noUpdate } from '../../status/facts.ts';
import { diskFacts, healthyFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { updateProblems } from '../../testing/home-assistant-schema.ts';
import { diskTag, stateMessage, updateMessage } from './state-message.ts';

const stateWith = (changes: Partial<ApplianceFacts>) =>
  stateMessage(foldStatus({ ...healthyFacts, ...changes }));

test('a healthy box has no problem, and tells its room to a tenth of a GiB', () => {
  const state = stateWith({});
  assert.equal(state.problem, 'OFF');
  assert.equal(state.health, 'All is well: 3 boxes, new files kept on 2.');
  assert.deepEqual([state.capacity_gib, state.used_gib, state.free_gib], [1900, 52.5, 1847.5]);
  assert.deepEqual([state.boxes, state.boxes_reachable, state.copies_missing], [3, 3, 0]);
  assert.equal(state.temperature, 48);
  assert.deepEqual(state.disks[diskTag('disk1')], { temperature: 31, problem: 'OFF' });
});

test('a failed disk is a problem of the box and of that disk only, with words as attributes', () => {
  const state = stateWith({
    volumes: [volumeFacts('disk1'), volumeFacts('disk2', { state: 'failed', error: 'EIO' })],
  });
  assert.equal(state.problem, 'ON');
  assert.equal(state.attributes.severity, 'warning');
  assert.match(state.attributes.headline, /^Disk disk2 has failed/);
  assert.equal(state.disks[diskTag('disk2')]?.problem, 'ON');
  assert.equal(state.disks[diskTag('disk1')]?.problem, 'OFF');
});

test('a disk below a volume that says it is failing is a problem of that disk', () => {
  const smart = { passed: false, warnings: [], temperatureCelsius: 60, powerOnHours: 1 };
  const state = stateWith({
    disks: [diskFacts('sda', { volume: 'disk1', smart }), diskFacts('sdb', { volume: 'disk2' })],
  });
  assert.deepEqual(state.disks[diskTag('disk1')], { temperature: 60, problem: 'ON' });
  assert.equal(state.disks[diskTag('disk2')]?.problem, 'OFF');
});

test('a notice is worth saying but is no problem', () => {
  const state = stateWith({ update: { ...noUpdate, state: 'staged', version: '0.2.0' } });
  assert.equal(state.problem, 'OFF');
  assert.equal(state.attributes.severity, 'notice');
});

test('when an update is installed, and why one was not, are attributes of the update', () => {
  const staged = { ...noUpdate, state: 'staged', version: '0.2.0' } as const;
  const waiting = stateWith({ update: { ...staged, atMs: Date.UTC(2027, 0, 5, 3, 30) } });
  assert.deepEqual(waiting.update, {
    state: 'staged',
    installs_at: '2027-01-05T03:30:00.000Z',
    reason: null,
  });
  const refused = stateWith({ update: { ...staged, reason: 'the card is full' } });
  assert.deepEqual(refused.update, { state: 'staged', installs_at: null, reason: 'the card is full' });
  assert.equal(refused.problem, 'ON');
});

test('what is not known is null, not left out', () => {
  const state = stateWith({ pool: null, disks: [] });
  assert.deepEqual([state.boxes, state.boxes_reachable], [null, null]);
  assert.equal(state.disks[diskTag('disk1')]?.temperature, null);
});

test('a health sentence is cut to what a state of Home Assistant holds', () => {
  const error = 'x'.repeat(400);
  const state = stateWith({
    volumes: [volumeFacts('disk1'), volumeFacts('disk2', { state: 'failed', error })],
  });
  assert.equal(state.health.length, mqttTextCharactersMax);
  assert.ok(state.attributes.headline.length > mqttTextCharactersMax);
});

test('nothing secret, and no name of a file, address, pool or key is in the state', () => {
  const text = JSON.stringify(
    stateWith({
      disks: [diskFacts('sdc', { role: 'foreign', content: 'ext4 file system "holiday photos"' })],
    }),
  );
  for (const secret of ['holiday', '192.0.2', healthyFacts.pool!.id, healthyFacts.box.memberId, 'S5T2NX0R'])
    assert.ok(!text.includes(secret), secret);
});

const updates: readonly (readonly [string, UpdateFacts, object])[] = [
  ['nothing waits', noUpdate, { latest_version: '0.1.0', in_progress: false, update_percentage: null }],
  [
    'one is staged',
    { ...noUpdate, state: 'staged', version: '0.2.0' },
    { latest_version: '0.2.0', in_progress: false, update_percentage: null },
  ],
  [
    'one is being installed',
    { ...noUpdate, state: 'installing', version: '0.2.0', progressPercent: 42 },
    { latest_version: '0.2.0', in_progress: true, update_percentage: 42 },
  ],
  [
    'it waits for a restart',
    { ...noUpdate, state: 'restart-due', version: '0.2.0' },
    { latest_version: '0.2.0', in_progress: true, update_percentage: null },
  ],
  [
    'it was rolled back, so it is not offered again',
    { ...noUpdate, state: 'rolled-back', version: '0.2.0', reason: 'unhealthy' },
    { latest_version: '0.1.0', in_progress: false, update_percentage: null },
  ],
];

for (const [what, update, expected] of updates) {
  test(`the update entity when ${what}`, () => {
    const message = updateMessage(foldStatus({ ...healthyFacts, update }));
    assert.deepEqual(message, { title: 'AetherStore', installed_version: '0.1.0', ...expected });
    assert.deepEqual(updateProblems({ ...message }), []);
  });
}
