import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { gateLookMs, gatePatienceMs } from '../../base/face-limits.ts';
import { place, sick, UpdatedBox } from '../../testing/updated-box.ts';

/** A box whose proven version is 2.0.0, in B; 1.0.0 is in A. */
async function provenInB(): Promise<UpdatedBox> {
  const box = await UpdatedBox.installed();
  await box.powerCycle();
  await box.prove();
  return box;
}

/** One whose proven version, 2.0.0, does not start any more; the one before runs, does not work, and has version 3.0.0. */
async function fallenBack(): Promise<UpdatedBox> {
  const box = await provenInB();
  for (let start = 0; start < 15; start++) box.slots.start();
  box.status = sick;
  await box.powerCycle();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '3.0.0', dataFormat: 1 });
  await box.stage();
  return box;
}

test('what never gets healthy may be left where nothing else would be started, and is come back to', async () => {
  const box = await fallenBack();
  // The start that took its last try.
  box.slots.left.A = 0;
  await box.install();
  assert.equal(box.updater.facts().state, 'restart-due');
  assert.deepEqual([box.slots.left.A, box.slots.left.B], [15, 3]);
  box.status = { ...sick, network: { ...sick.network, interfaces: [] } };
  for (let start = 0; start < 3; start++) {
    await box.powerCycle();
    assert.deepEqual([box.version, box.updater.facts().state], ['3.0.0', 'trial']);
    await box.pass(gatePatienceMs + 2 * gateLookMs);
  }
  for (let start = 0; start < 5; start++) {
    await box.powerCycle();
    assert.deepEqual([box.version, box.updater.facts().state], ['1.0.0', 'rolled-back']);
  }
});

test('what was installed over a version that does not start is proven when it works as that did before', async () => {
  const box = await fallenBack();
  await box.install();
  await box.powerCycle();
  await box.prove();
  assert.deepEqual([box.version, box.updater.isProven], ['3.0.0', true]);
});

test('a power cut in such an installation leaves the system that ran', async () => {
  const box = await fallenBack();
  box.slots.left.A = 0;
  box.slots.midway = () => {
    box.disk.powerOff();
    throw new AetherError('POWER_CUT', 'the power is gone');
  };
  await box.install();
  box.slots.midway = () => {};
  await box.powerCycle();
  const { state, reason } = box.updater.facts();
  assert.deepEqual([box.version, state, reason], ['1.0.0', 'staged', 'it was interrupted']);
  await box.install();
  await box.powerCycle();
  assert.equal(box.version, '3.0.0');
});

test('a system that is not proven, and cannot be given tries, is not left', async () => {
  const box = await fallenBack();
  box.slots.order = ['B'];
  await assert.rejects(box.updater.install(), { code: 'UPDATE_UNPROVEN' });
  box.slots.order = ['B', 'A'];
  box.slots.left.B = 1;
  await assert.rejects(box.updater.install(), { code: 'UPDATE_UNPROVEN' });
  assert.equal(box.slots.installs, 1, 'the one before');
});

test('a proven version that does not start any more is told of, and the one before has to show that it works', async () => {
  const box = await provenInB();
  for (let start = 0; start < 15; start++) box.slots.start();
  box.status = sick;
  await box.powerCycle();
  const { state, version, reason } = box.updater.facts();
  assert.deepEqual(
    [box.version, state, version, reason],
    ['1.0.0', 'rolled-back', '2.0.0', 'it did not start any more'],
  );
  const left = box.slots.left.A;
  await box.pass(2 * gatePatienceMs);
  assert.deepEqual([box.slots.left.A, box.restarts], [left, 1], 'not good, and with nothing to come back to');
  await assert.rejects(box.updater.install(), { code: 'UPDATE_NOT_STAGED' });
  box.status = { ...sick, volumes: [] };
  await box.pass(2 * gateLookMs);
  assert.equal(box.slots.left.A, 15);
  assert.equal(box.updater.facts().state, 'rolled-back', 'it is told of as long as it runs');
  await box.powerCycle();
  assert.equal(box.updater.facts().state, 'rolled-back');
});

test('an update that waits when the proven version does not start any more goes on waiting, and tells of it', async () => {
  const box = await provenInB();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '3.0.0', dataFormat: 1 });
  await box.stage();
  for (let start = 0; start < 15; start++) box.slots.start();
  await box.powerCycle();
  await box.open();
  const { state, version, reason } = box.updater.facts();
  assert.deepEqual(
    [box.version, state, version, reason],
    ['1.0.0', 'staged', '3.0.0', 'version 2.0.0 did not start any more'],
  );
});

/** Its boot loader has lost its environment. */
async function forgotten(): Promise<UpdatedBox> {
  const box = await provenInB();
  forget(box);
  return box;
}

function forget({ slots }: UpdatedBox): void {
  slots.order = ['A', 'B'];
  Object.assign(slots.left, { A: 3, B: 3 });
}

test('a boot loader that forgot everything starts the other system, which goes back to the proven one at once', async () => {
  const box = await forgotten();
  const before = box.restarts;
  await box.powerCycle();
  const { state, reason } = box.updater.facts();
  assert.deepEqual(
    [box.version, state, reason, box.restarts],
    ['1.0.0', 'rolled-back', 'the boot loader had forgotten it', before + 1],
  );
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state, box.restarts], ['2.0.0', 'none', before + 1]);
});

test('what waits goes on waiting over a return to the system that the boot loader forgot', async () => {
  const box = await forgotten();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '3.0.0', dataFormat: 1 });
  await box.open();
  await box.stage();
  await box.powerCycle();
  await box.powerCycle();
  const { state, version, reason } = box.updater.facts();
  assert.deepEqual(
    [box.version, state, version, reason],
    ['2.0.0', 'staged', '3.0.0', 'version 2.0.0 was forgotten by the boot loader'],
  );
});

test('a boot loader that forgets at every start is told once; then the system that it starts has to show that it works', async () => {
  const box = await forgotten();
  await box.powerCycle();
  const before = box.restarts;
  forget(box);
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state, box.restarts], ['1.0.0', 'rolled-back', before]);
  await box.prove();
  assert.deepEqual([box.updater.isProven, box.restarts], [true, before]);
});

test('where a return cannot be noted none is made', async () => {
  const box = await forgotten();
  const before = box.restarts;
  box.disk.rename = () => Promise.reject(new AetherError('DISK_FULL', 'no room'));
  await box.powerCycle();
  assert.deepEqual([box.version, box.slots.order, box.restarts], ['1.0.0', ['A', 'B'], before]);
});
