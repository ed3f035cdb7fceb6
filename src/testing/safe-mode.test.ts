import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatePatienceMs, stickLookMs } from '../base/face-limits.ts';
import { LogRing, silentLog } from '../base/log.ts';
import { ApplianceUpdates } from '../box-updates.ts';
import { StartingUpdates } from '../box-updates-start.ts';
import type { ApplianceControl } from '../control/appliance-control.ts';
import { runSafeMode } from '../safe-mode.ts';
import { FakeBootSlots } from './fake-boot-slots.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

/** A box in safe mode, and what a person at its console has in hand. */
async function startSafely({
  stateInMemory,
  open,
}: {
  readonly stateInMemory: boolean;
  readonly open?: () => Promise<ApplianceUpdates>;
}) {
  const clock = new FakeClock();
  const slots = new FakeBootSlots();
  const updatesDisk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const entropy = new SeededEntropy(2);
  const ports = { clock, entropy, log: silentLog };
  const held = Promise.withResolvers<ApplianceControl>();
  const left: string[] = [];
  const openUpdates = (restartMachine: () => Promise<void>) =>
    ApplianceUpdates.open(
      { folder: '/updates', version: '1.0.0', alone: true, restartMachine },
      {
        ...ports,
        slots,
        updatesDisk,
        stateDisk: new MemoryDisk({ entropy }),
        server: { listen: () => Promise.reject(new Error('nobody is served in safe mode')) },
      },
    );
  const ended = runSafeMode(
    {
      reason: 'its program failed five times',
      startFaces: ({ control }, startsAgain) => {
        held.resolve(control);
        return Promise.resolve({ close: () => void left.push(startsAgain() ? 'booting' : 'dark') });
      },
      ring: new LogRing(10),
      supervision: { serving: () => {}, stopping: () => {}, close: () => {} },
      onAsked: () => {},
      stateInMemory,
      updates: (restartMachine) => new StartingUpdates(open ?? (() => openUpdates(restartMachine))),
    },
    ports,
  );
  const control = await held.promise;
  await settle();
  return { clock, slots, updatesDisk, control, ended, left };
}

test('in safe mode nothing that runs is found good, however long it runs', async () => {
  const { clock, slots, control, ended } = await startSafely({ stateInMemory: false });
  await clock.run(2 * gatePatienceMs);
  assert.equal(slots.marks, 0);
  void control.restart();
  assert.equal(await ended, 'reboot');
});

test('lights that safe mode leaves say whether the box stops or starts again', async () => {
  const leftBy = async (ask: (control: ApplianceControl) => Promise<void>) => {
    const { control, ended, left } = await startSafely({ stateInMemory: false });
    void ask(control);
    await ended;
    return left;
  };
  assert.deepEqual(await leftBy((control) => control.shutdown()), ['dark']);
  assert.deepEqual(await leftBy((control) => control.restart()), ['booting']);
  assert.deepEqual(await leftBy((control) => control.factoryReset()), ['booting']);
});

test('in safe mode a memory stick brings an update, which is installed, and the machine starts again', async () => {
  const { clock, slots, updatesDisk, control, ended } = await startSafely({ stateInMemory: true });
  const file = await updatesDisk.open('sticks/sda1.raucb', 'create');
  await file.close();
  const bundle = { compatible: slots.compatible, version: '2.0.0', dataFormat: 1 };
  slots.bundles.set('/updates/sticks/sda1.raucb', bundle);
  slots.bundles.set('/updates/bundle.raucb', bundle);
  await clock.run(stickLookMs);
  assert.equal(control.status().update.state, 'staged');
  await control.installUpdate();
  assert.equal(await ended, 'reboot');
  assert.equal(slots.start(), '2.0.0');
});

test('in safe mode a factory reset that nothing would remember is refused', async () => {
  const inMemory = await startSafely({ stateInMemory: true });
  await assert.rejects(inMemory.control.factoryReset(), { code: 'CARD_UNWRITABLE' });
  void inMemory.control.shutdown();
  assert.equal(await inMemory.ended, 'shutdown');
  const onCard = await startSafely({ stateInMemory: false });
  void onCard.control.factoryReset();
  assert.equal(await onCard.ended, 'factory-reset');
});

test('while it installs an update it still is in safe mode, says nothing else, and its lights forbid to unplug it', async () => {
  const { clock, slots, updatesDisk, control, ended } = await startSafely({ stateInMemory: true });
  const file = await updatesDisk.open('sticks/sda1.raucb', 'create');
  await file.close();
  const bundle = { compatible: slots.compatible, version: '2.0.0', dataFormat: 1 };
  slots.bundles.set('/updates/sticks/sda1.raucb', bundle);
  slots.bundles.set('/updates/bundle.raucb', bundle);
  const held = Promise.withResolvers<void>();
  slots.hold = held.promise;
  await clock.run(stickLookMs);
  await control.installUpdate();
  await settle();
  const { update, light, headline, worst, conditions } = control.status();
  assert.equal(update.state, 'installing');
  assert.deepEqual(light, { kind: 'updating' });
  assert.match(headline, /do not unplug/);
  assert.deepEqual([worst, conditions.map(({ code }) => code)], ['warning', ['SAFE_MODE']]);
  assert.match(conditions[0]!.message, /The reason: its program failed five times\.$/);
  held.resolve();
  await ended;
  assert.deepEqual(
    control.status().conditions.map(({ code }) => code),
    ['SAFE_MODE'],
  );
});

test('in safe mode an updater that does not answer is told of, and an update is no forbidden deed', async () => {
  const { control, ended } = await startSafely({ stateInMemory: true, open: () => new Promise(() => {}) });
  await assert.rejects(control.installUpdate(), { code: 'UPDATER_UNAVAILABLE' });
  void control.restart();
  await ended;
});
