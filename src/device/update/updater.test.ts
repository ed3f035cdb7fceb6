import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { gateCrashFreeMs, gateLookMs, gatePatienceMs, updatePeriodMs } from '../../base/face-limits.ts';
import { silentLog } from '../../base/log.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import { healthyFacts, volumeFacts } from '../../testing/appliance-facts.ts';
import { FakeBootSlots } from '../../testing/fake-boot-slots.ts';
import { FakeClock, settle } from '../../testing/fake-clock.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { Updater } from './updater.ts';

const place = '/updates/bundle.raucb';
const healthy = foldStatus(healthyFacts);
const sick = foldStatus({
  ...healthyFacts,
  volumes: [volumeFacts('disk1', { state: 'failed', error: 'it answers with errors' })],
});

/** A box over several starts: what is on its card stays, its program begins anew. */
class UpdatedBox {
  readonly slots = new FakeBootSlots();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  readonly clock = new FakeClock();
  updater!: Updater;
  status = healthy;
  version = '1.0.0';
  restarts = 0;

  constructor(
    bundle = { compatible: 'aetherstore-arm64', version: '2.0.0', dataFormat: 1 as number | undefined },
  ) {
    this.slots.bundles.set(place, bundle);
  }

  async open(): Promise<this> {
    await this.updater?.close();
    this.updater = await Updater.open(
      {
        running: { compatible: this.slots.compatible, version: this.version, dataFormat: 1 },
        source: () => Promise.resolve({ place, close: () => Promise.resolve() }),
        health: () => ({ status: this.status, chunkRead: true }),
        hasPeers: () => true,
        restartMachine: () => {
          this.restarts++;
          return Promise.resolve();
        },
      },
      { slots: this.slots, stateDisk: this.disk, clock: this.clock, log: silentLog },
    );
    this.updater.start();
    return this;
  }

  stage(wanted: { readonly atMs?: number; readonly older?: boolean } = {}) {
    const open = () => Promise.resolve({ place, close: () => Promise.resolve() });
    return this.updater.stage({ ...wanted, open, from: null });
  }

  /** The machine starts again, as after a power cut. */
  async powerCycle(): Promise<void> {
    await this.updater.close();
    this.disk.crash();
    this.version = this.slots.start();
    await this.open();
  }

  pass(ms: number): Promise<void> {
    return this.clock.run(ms);
  }
}

async function installed(): Promise<UpdatedBox> {
  const box = await new UpdatedBox().open();
  await box.stage();
  await box.updater.install();
  await settle();
  await box.pass(0);
  return box;
}

test('a bundle is staged, installed, started into, watched for a minute, and then good', async () => {
  const box = await new UpdatedBox().open();
  assert.equal((await box.stage()).version, '2.0.0');
  assert.deepEqual([box.updater.facts().state, box.updater.facts().version], ['staged', '2.0.0']);
  await box.updater.install();
  await settle();
  await box.pass(0);
  assert.deepEqual([box.updater.facts().state, box.restarts], ['restart-due', 1]);
  await box.powerCycle();
  assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial']);
  await box.pass(gateCrashFreeMs - gateLookMs);
  assert.equal(box.updater.facts().state, 'trial');
  await box.pass(2 * gateLookMs);
  assert.equal(box.updater.facts().state, 'none');
  for (let start = 0; start < 5; start++) {
    await box.powerCycle();
    await box.pass(2 * gateLookMs);
    assert.equal(box.version, '2.0.0', 'it stays with what is good');
  }
});

test('a version that does not get healthy is given up, and after its tries the one before says why', async () => {
  const box = await installed();
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

test('of a version whose program never ran, it is said that it did not start', async () => {
  const box = await installed();
  for (let start = 0; start < 3; start++) box.slots.start();
  await box.powerCycle();
  assert.deepEqual(
    [box.version, box.updater.facts().state, box.updater.facts().reason],
    ['1.0.0', 'rolled-back', 'it did not start'],
  );
});

test('a power cut at any step of an installation leaves a box that runs, and an update that can be installed', async () => {
  for (const step of [0, 1, 2, 3]) {
    const box = await new UpdatedBox().open();
    await box.stage();
    box.slots.midway = (at) => {
      if (at === step) box.disk.powerOff();
      if (at === step) throw new AetherError('POWER_CUT', 'the power is gone');
    };
    await box.updater.install();
    await settle();
    box.slots.midway = () => {};
    await box.powerCycle();
    if (step < 3) {
      assert.equal(box.version, '1.0.0', `step ${step}`);
      assert.equal(box.updater.facts().state, 'staged');
      assert.equal(box.updater.facts().reason, 'it was interrupted');
      await box.updater.install();
      await settle();
      await box.pass(0);
      await box.powerCycle();
    }
    assert.deepEqual([box.version, box.updater.facts().state], ['2.0.0', 'trial'], `step ${step}`);
  }
});

test('while a new version is on trial no other is taken: there would be nothing to come back to', async () => {
  const box = await installed();
  await assert.rejects(box.stage(), { code: 'UPDATE_BUSY' });
  await box.powerCycle();
  await assert.rejects(box.stage(), { code: 'UPDATE_BUSY' });
  await assert.rejects(box.updater.install(), { code: 'UPDATE_BUSY' });
});

test('a program that starts again does not take its machine for a new one', async () => {
  const box = await installed();
  await box.open();
  assert.equal(box.updater.facts().state, 'restart-due');
});

test('what cannot be installed stays staged, and says why', async () => {
  const box = await new UpdatedBox().open();
  await box.stage();
  box.slots.failure = new AetherError('UPDATE_FAILED', 'the card is full');
  await box.updater.install();
  await settle();
  assert.deepEqual([box.updater.facts().state, box.restarts], ['staged', 0]);
  assert.match(box.updater.facts().reason ?? '', /the card is full/);
});

test('an hour that was set is kept over a restart', async () => {
  const box = await new UpdatedBox().open();
  const atMs = box.clock.wallMs() + 3_600_000;
  await box.stage({ atMs });
  await box.open();
  await box.pass(3_600_000 - 2 * updatePeriodMs);
  assert.equal(box.updater.facts().state, 'staged');
  await box.pass(3 * updatePeriodMs);
  assert.equal(box.updater.facts().state, 'restart-due');
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

test('a record that is damaged is no reason not to start', async () => {
  const box = await installed();
  const file = await box.disk.open('update.json', 'write');
  await file.write([new Uint8Array([0x7b, 0x00])], 0);
  await file.close();
  await box.open();
  assert.equal(box.updater.facts().state, 'none');
});
