import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { gateCrashFreeMs, gateLookMs, gatePatienceMs } from '../../base/face-limits.ts';
import { settle } from '../../testing/fake-clock.ts';
import { healthy, place, sick, UpdatedBox } from '../../testing/updated-box.ts';

test('a bundle is staged, installed, started into, watched for a minute, and then good', async () => {
  const box = await UpdatedBox.proven();
  assert.equal((await box.stage()).version, '2.0.0');
  assert.deepEqual([box.updater.facts().state, box.updater.facts().version], ['staged', '2.0.0']);
  await box.install();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['restart-due', 1]);
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
  await box.pass(gateCrashFreeMs - gateLookMs);
  assert.equal(box.updater.facts().state, 'trial');
  assert.equal(box.slots.left.B, 2, 'its tries are not given back before it is proven');
  await box.pass(2 * gateLookMs);
  assert.equal(box.updater.facts().state, 'none');
  for (let start = 0; start < 5; start++) {
    await box.powerCycle();
    await box.pass(2 * gateLookMs);
    assert.equal(box.version, '2.0.0', 'it stays with what is good');
  }
});

test('a version that does not get healthy is given up, and after its tries the one before says why', async () => {
  const box = await UpdatedBox.installed();
  box.status = sick;
  for (let start = 0; start < 3; start++) {
    await box.powerCycle();
    assert.equal(box.version, '2.0.0');
    await box.pass(gatePatienceMs + 2 * gateLookMs);
  }
  assert.equal(box.restarts, 4);
  box.status = healthy;
  await box.powerCycle();
  const { state, version, reason } = box.updater.facts();
  assert.deepEqual(
    [box.version, state, version, reason],
    ['1.0.0', 'rolled-back', '2.0.0', 'disk disk1 could not be opened'],
  );
});

test('a version that was rolled back is not started again, however often the power is cut afterwards', async () => {
  const box = await UpdatedBox.installed();
  box.status = sick;
  for (let start = 0; start < 4; start++) await box.powerCycle();
  assert.equal(box.version, '1.0.0');
  for (let start = 0; start < 40; start++) {
    await box.powerCycle();
    assert.equal(box.version, '1.0.0', `start ${start}`);
  }
});

test('a mark of a rolled-back version that a power cut took is made at the next start', async () => {
  const box = await UpdatedBox.installed();
  for (let start = 0; start < 3; start++) box.slots.start();
  await box.powerCycle();
  assert.equal(box.updater.facts().state, 'rolled-back');
  box.slots.order = ['B', 'A'];
  box.slots.left.B = 3;
  await box.open();
  assert.deepEqual([box.slots.order, box.slots.left.B], [['A'], 0]);
});

test('of a version whose program never ran, it is said that it did not start', async () => {
  const box = await UpdatedBox.installed();
  for (let start = 0; start < 3; start++) box.slots.start();
  await box.powerCycle();
  assert.deepEqual(
    [box.version, box.updater.facts().state, box.updater.facts().reason],
    ['1.0.0', 'rolled-back', 'it did not start'],
  );
});

test('a power cut at any step of an installation leaves a box that runs, and an update that can be installed', async () => {
  for (const step of [0, 1, 2, 3]) {
    const box = await UpdatedBox.proven();
    await box.stage();
    box.slots.midway = (at) => {
      if (at === step) box.disk.powerOff();
      if (at === step) throw new AetherError('POWER_CUT', 'the power is gone');
    };
    await box.install();
    box.slots.midway = () => {};
    await box.powerCycle();
    if (step < 3) {
      assert.equal(box.version, '1.0.0', `step ${step}`);
      assert.equal(box.updater.facts().state, 'staged');
      assert.equal(box.updater.facts().reason, 'it was interrupted');
      await box.pass(2 * gateLookMs);
      await box.install();
      await box.powerCycle();
    }
    assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial'], `step ${step}`);
  }
});

test('while a new version is on trial no other is taken: there would be nothing to come back to', async () => {
  const box = await UpdatedBox.installed();
  await box.powerCycle();
  await assert.rejects(box.stage(), { code: 'UPDATE_BUSY' });
  await assert.rejects(box.updater.install(), { code: 'UPDATE_BUSY' });
});

test('a program that starts again does not take its machine for a new one', async () => {
  const box = await UpdatedBox.installed();
  await box.open();
  assert.equal(box.updater.facts().state, 'restart-due');
});

test('what cannot be installed stays staged, and says why', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.failure = new AetherError('UPDATE_FAILED', 'the card is full');
  await box.install();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['staged', 0]);
  assert.match(box.updater.facts().reason ?? '', /the card is full/);
});

test('bundles of others, for others, or from before are refused', async () => {
  const good = { compatible: 'aetherstore-arm64', version: '2.0.0', dataFormat: 1 };
  const cases = [
    [{ ...good, compatible: 'toaster' }, 'UPDATE_FOR_OTHER_BOARD'],
    [{ ...good, dataFormat: 0 }, 'UPDATE_DATA_FORMAT'],
    [{ ...good, dataFormat: undefined }, 'UPDATE_DATA_FORMAT'],
    [{ ...good, version: '0.9.0' }, 'UPDATE_OLDER'],
  ] as const;
  for (const [bundle, code] of cases) {
    const box = await new UpdatedBox().open();
    box.slots.bundles.set(place, bundle);
    await assert.rejects(box.stage(), { code });
    assert.equal(box.updater.facts().state, 'none');
  }
  const box = await new UpdatedBox().open();
  box.slots.bundles.clear();
  await assert.rejects(box.stage(), { code: 'UPDATE_UNTRUSTED' });
  box.slots.bundles.set(place, { ...good, version: '0.9.0' });
  assert.equal((await box.stage({ older: true })).version, '0.9.0');
});

test('an older version that a person wants is installed, and is on trial', async () => {
  const box = await UpdatedBox.proven();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '0.9.0', dataFormat: 1 });
  await box.stage({ older: true });
  await box.install();
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['0.9.0', 'trial']);
});

test('a bundle that is another one than was staged is not installed, and no longer offered', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '1.5.0', dataFormat: 1 });
  await assert.rejects(box.updater.install(), { code: 'UPDATE_CHANGED' });
  assert.deepEqual([box.updater.facts().state, box.slots.installs], ['none', 0]);
});

test('a bundle that turned out damaged is forgotten when a person wants it, and the same may come again', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  const bundle = box.slots.bundles.get(place)!;
  box.slots.bundles.delete(place);
  await assert.rejects(box.updater.install(), { code: 'UPDATE_UNTRUSTED' });
  assert.deepEqual([box.updater.facts().state, box.slots.installs], ['none', 0]);
  box.slots.bundles.set(place, bundle);
  assert.equal((await box.stage({ unasked: true })).version, '2.0.0');
});

test('what could not be installed is replaced by the same version from a stick, but not by an older one', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.failure = new AetherError('UPDATE_UNTRUSTED', 'a block is not what it was signed as');
  await box.install();
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '1.5.0', dataFormat: 1 });
  await assert.rejects(box.stage({ unasked: true }), { code: 'UPDATE_KNOWN' });
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '2.0.0', dataFormat: 1 });
  await box.stage({ unasked: true });
  assert.equal(box.updater.facts().reason, null);
  await assert.rejects(box.stage({ unasked: true }), { code: 'UPDATE_KNOWN' });
});

test('what is lost is what was asked about, and nothing that was staged meanwhile', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  await box.updater.lost({ from: 'feed', version: '2.0.0' });
  await box.updater.lost({ from: null, version: '1.9.0' });
  assert.equal(box.updater.facts().state, 'staged');
  await box.updater.lost({ from: null, version: '2.0.0' });
  assert.equal(box.updater.facts().state, 'none');
});

test('what the installer wrote is held against what was staged', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  box.slots.midway = (step) => {
    if (step === 3) box.slots.versions.B = '1.5.0';
  };
  await box.install();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['staged', 0]);
  assert.match(box.updater.facts().reason ?? '', /not version 2\.0\.0/);
  await box.powerCycle();
  assert.equal(box.version, '1.0.0');
});

test('two who want it installed at once begin one installation', async () => {
  const box = await UpdatedBox.proven();
  await box.stage();
  const ends = await Promise.allSettled([box.updater.install(), box.updater.install()]);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await settle();
  await box.pass(0);
  assert.deepEqual([box.slots.installs, box.restarts], [1, 1]);
  assert.equal(box.updater.facts().state, 'restart-due');
});

test('while a bundle is looked into nobody else puts another in its place', async () => {
  const box = await UpdatedBox.proven();
  const first = box.stage();
  await assert.rejects(box.stage(), { code: 'UPDATE_BUSY' });
  assert.throws(() => box.updater.requireIdle(), { code: 'UPDATE_BUSY' });
  await first;
  box.updater.requireIdle();
});

test('what came by itself is offered once: not what runs, waits, or was rolled back', async () => {
  const box = await UpdatedBox.proven();
  await box.stage({ unasked: true });
  await assert.rejects(box.stage({ unasked: true }), { code: 'UPDATE_KNOWN' });
  await box.install();
  for (let start = 0; start < 3; start++) box.slots.start();
  await box.powerCycle();
  assert.equal(box.updater.facts().state, 'rolled-back');
  await assert.rejects(box.stage({ unasked: true }), { code: 'UPDATE_KNOWN' });
  assert.equal(box.updater.facts().state, 'rolled-back', 'it is still told of');
  assert.equal((await box.stage()).version, '2.0.0', 'a person may want it all the same');
  box.slots.bundles.set(place, { compatible: box.slots.compatible, version: '1.0.0', dataFormat: 1 });
  await assert.rejects(box.stage({ unasked: true }), { code: 'UPDATE_KNOWN' });
});
