import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { gateLookMs, gatePatienceMs, restartAgainMs, updatePeriodMs } from '../../base/face-limits.ts';
import { volumeFacts } from '../../testing/appliance-facts.ts';
import { settle } from '../../testing/fake-clock.ts';
import { place, sick, UpdatedBox } from '../../testing/updated-box.ts';

test('the first system of a card is proven by the gate, and nothing is installed before', async () => {
  const box = await new UpdatedBox().open();
  box.status = sick;
  await box.stage();
  await box.pass(2 * gatePatienceMs);
  assert.deepEqual([box.slots.marks, box.restarts], [0, 0], 'there is nothing to come back to');
  await assert.rejects(box.updater.install(), { code: 'UPDATE_UNPROVEN' });
  box.status = { ...sick, volumes: [] };
  await box.pass(2 * gateLookMs);
  assert.equal(box.slots.marks, 1);
  await box.updater.install();
});

test('a disk that had failed before the update, and chunks that could not be read, do not undo it', async () => {
  const box = await UpdatedBox.proven();
  box.status = sick;
  box.unreadable = () => Promise.resolve(['disk1']);
  await box.stage();
  await box.install();
  await box.powerCycle();
  await box.prove();
  assert.deepEqual([box.version, box.updater.isProven], ['2.0.0', true]);
});

test('a disk that fails, or is not found, beside one that had failed before the update undoes it', async () => {
  const beside = (disk2: ReturnType<typeof volumeFacts>) => ({ ...sick, volumes: [...sick.volumes, disk2] });
  for (const [state, said] of [
    ['failed', 'disk disk2 could not be opened'],
    ['missing', 'disk disk2 was not found'],
  ] as const) {
    const box = await UpdatedBox.proven();
    box.status = beside(volumeFacts('disk2'));
    await box.stage();
    await box.install();
    box.status = beside(volumeFacts('disk2', { state }));
    for (let start = 0; start < 3; start++) {
      await box.powerCycle();
      await box.pass(gatePatienceMs + 2 * gateLookMs);
    }
    await box.powerCycle();
    const facts = box.updater.facts();
    assert.deepEqual([box.version, facts.state, facts.reason], ['1.0.0', 'rolled-back', said]);
  }
});

test('a card that cannot be read any more opens the updates all the same', async () => {
  const box = await UpdatedBox.installed();
  const open = box.disk.open.bind(box.disk);
  box.disk.open = (path, mode) =>
    mode === 'read' ? Promise.reject(new AetherError('DISK_IO', `${path}: EIO`)) : open(path, mode);
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'none']);
  await box.prove();
  assert.equal(box.updater.isProven, true);
});

test('a system without tries left is not what a box would come back to', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.left.A = 0;
  await assert.rejects(box.updater.install(), { code: 'UPDATE_UNPROVEN' });
  assert.equal(box.slots.installs, 0);
});

test('chunks that cannot be read are no proof, and a disk that does not answer is none either', async () => {
  for (const unreadable of [
    () => Promise.resolve(['disk1']),
    () => Promise.reject(new AetherError('DISK_FAILED', 'it does not answer')),
  ]) {
    const box = await UpdatedBox.installed();
    box.unreadable = unreadable;
    await box.powerCycle();
    await box.prove();
    assert.equal(box.updater.facts().state, 'trial');
    box.unreadable = () => Promise.resolve([]);
    await box.pass(2 * gateLookMs);
    assert.equal(box.updater.facts().state, 'none', 'it is asked again at each look');
  }
});

test('a version is proven only when that is written down everywhere; else it is tried again', async () => {
  const box = await UpdatedBox.installed();
  await box.powerCycle();
  box.slots.markFailure = new AetherError('UPDATER_UNAVAILABLE', 'busy');
  await box.prove();
  assert.equal(box.updater.facts().state, 'trial');
  box.slots.markFailure = undefined;
  await box.pass(2 * gateLookMs);
  assert.equal(box.updater.facts().state, 'none');
  for (let start = 0; start < 20; start++) await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['1.0.0', 'rolled-back']);
});

test('a version that was found good runs on though the card is full, and that is written down later', async () => {
  const box = await UpdatedBox.installed();
  await box.powerCycle();
  let isFull = true;
  box.disk.intercept((operation) => {
    if (isFull && operation === 'create') throw new AetherError('DISK_FULL', 'no space is left');
  });
  await box.prove();
  await box.pass(20 * gateLookMs);
  assert.deepEqual([box.updater.isProven, box.slots.marks, box.restarts], [true, 2, 1]);
  isFull = false;
  await box.pass(2 * updatePeriodMs);
  await box.powerCycle();
  assert.equal(box.updater.isProven, true);
});

test('a new version whose record is lost or damaged is on trial all the same', async () => {
  for (const lose of [
    (box: UpdatedBox) => box.disk.remove('update.json'),
    (box: UpdatedBox) => box.damage('update.json'),
  ]) {
    const box = await UpdatedBox.installed();
    await lose(box);
    box.status = sick;
    await box.powerCycle();
    assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
    await box.pass(gatePatienceMs + 2 * gateLookMs);
    assert.deepEqual([box.slots.left.B, box.restarts], [2, 2], 'it was given up');
  }
});

test('where what was proven is forgotten, too, a system has to show that it works', async () => {
  const box = await UpdatedBox.proven();
  await box.damage('proven.json');
  box.status = sick;
  await box.powerCycle();
  await box.pass(2 * gateLookMs);
  assert.equal(box.slots.left.A, 14, 'its tries are not given back');
});

test('an installation that goes on while the program starts again is watched to its end', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  const held = Promise.withResolvers<void>();
  box.slots.hold = held.promise;
  await box.updater.install();
  await settle();
  await box.open();
  assert.equal(box.updater.facts().state, 'installing');
  await assert.rejects(box.updater.install(), { code: 'UPDATE_BUSY' });
  held.resolve();
  await settle();
  await box.pass(0);
  assert.equal(box.updater.facts().state, 'restart-due');
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
});

test('an installation that ended while the program did not run is found out', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.midway = (step) => {
    if (step === 3) box.disk.powerOff();
  };
  await box.install();
  box.slots.midway = () => {};
  box.disk.crash();
  box.restarts = 0;
  await box.open();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['restart-due', 1]);
});

test('an installer that died has installed nothing', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.diesAt = 1;
  await box.install();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['staged', 0]);
  assert.match(box.updater.facts().reason ?? '', /before it was done/);
});

test('a restart that does not come is asked for again, by a program that was started anew, too', async () => {
  const box = await UpdatedBox.proven();
  box.restart = () => Promise.reject(new AetherError('POWER_REFUSED', 'the unit failed'));
  await box.stage();
  await box.install();
  assert.equal(box.restarts, 1);
  await box.pass(restartAgainMs + updatePeriodMs);
  assert.equal(box.restarts, 2);
  await box.open();
  await box.pass(restartAgainMs + updatePeriodMs);
  assert.equal(box.restarts, 3);
});

test('what could not be written down is written later', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.failure = new AetherError('UPDATE_FAILED', 'the card is full');
  await box.updater.install();
  box.disk.powerOff();
  await settle();
  assert.equal(box.updater.facts().state, 'staged');
  box.disk.crash();
  await box.pass(2 * updatePeriodMs);
  await box.open();
  assert.match(box.updater.facts().reason ?? '', /the card is full/);
});

test('alone, nothing is found good or given up, and an update is installed that is on trial afterwards', async () => {
  const box = await UpdatedBox.proven();
  box.alone = true;
  await box.powerCycle();
  await box.pass(2 * gatePatienceMs);
  assert.deepEqual([box.slots.left.A, box.restarts], [14, 0]);
  await box.stage();
  await box.install();
  assert.equal(box.updater.facts().state, 'restart-due');
  box.alone = false;
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
});

test('alone, a system that is on trial may be left; what is overwritten is no longer what was proven', async () => {
  const box = await UpdatedBox.installed();
  box.alone = true;
  await box.powerCycle();
  assert.equal(box.updater.facts().state, 'trial');
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '3.0.0', dataFormat: 1 });
  await box.stage();
  assert.equal(box.updater.facts().state, 'staged');
  await box.install();
  assert.equal((await box.disk.list('')).includes('proven.json'), false);
  box.alone = false;
  await box.powerCycle();
  assert.deepEqual([box.slots.booted, box.version], ['A', '3.0.0']);
  assert.equal(box.updater.facts().state, 'trial');
});

test('what was installed by a box that could remember nothing is on trial, by what was proven before', async () => {
  const box = await UpdatedBox.proven();
  const card = await box.disk.list('');
  assert.ok(card.includes('proven.json'));
  const memory = new UpdatedBox();
  Object.assign(memory, { slots: box.slots, alone: true });
  await memory.open();
  await memory.stage();
  await memory.install();
  assert.equal(memory.restarts, 1);
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
});

test('another version in the slot that was proven is not proven, and does not start again and again', async () => {
  const box = await UpdatedBox.proven();
  box.slots.versions.A = '1.1.0';
  box.status = sick;
  await box.powerCycle();
  await box.pass(3 * restartAgainMs);
  assert.deepEqual([box.version, box.updater.facts().state, box.restarts], ['1.1.0', 'none', 0]);
  assert.equal(box.slots.left.A, 14, 'it has not passed the gate');
  box.status = { ...sick, volumes: [] };
  await box.pass(2 * gateLookMs);
  assert.equal(box.slots.left.A, 15);
});
