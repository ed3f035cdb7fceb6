import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import { updaterRetryMs } from '../base/face-limits.ts';
import { LogRing, silentLog } from '../base/log.ts';
import type { Box } from '../box.ts';
import { BoxControl, unknownMachine } from '../box-control.ts';
import { ApplianceUpdates, type UpdatedBox } from '../box-updates.ts';
import { StartingUpdates } from '../box-updates-start.ts';
import { methods } from '../pool/transfer/methods.ts';
import type { RequestHandler } from '../pool/transfer/peer-dispatcher.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { healthyFacts } from './appliance-facts.ts';
import { FakeBootSlots } from './fake-boot-slots.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const bundle = new SeededEntropy(9).bytes(500);

async function* inOnePiece() {
  yield bundle;
}

/** A box that has just started, and its control. */
async function startBox() {
  const ports = {
    clock: new FakeClock(),
    entropy: new SeededEntropy(1),
    log: silentLog,
    stateDisk: new MemoryDisk({ entropy: new SeededEntropy(2) }),
  };
  const handlers = new Map<number, RequestHandler>();
  const box: UpdatedBox & Pick<Box, 'onChange'> = {
    handle: (method, handler) => void handlers.set(method, handler),
    ask: () => Promise.reject(new Error('there is no other box')),
    status: () => foldStatus(healthyFacts),
    onChange: () => () => {},
    disks: { store: { unreadable: () => Promise.resolve([]) } },
  };
  const options = { end: () => Promise.resolve(), forgetNetwork: () => Promise.resolve() };
  const control = await BoxControl.open({ ...options, log: new LogRing(10) }, unknownMachine, ports);
  control.attach(box as Box);
  const asked = Promise.withResolvers<void>();
  return {
    ports,
    box,
    control,
    answer: async (method: number, payload: Bytes) => handlers.get(method)!(payload, undefined as never),
    asked,
  };
}

test('an appliance whose installer does not answer says so, and why, and takes an update once it does', async () => {
  const { ports, box, control, answer, asked } = await startBox();
  const slots = new FakeBootSlots();
  slots.bundles.set('/updates/incoming.raucb', {
    compatible: slots.compatible,
    version: '2.0.0',
    dataFormat: 1,
  });
  let away: AetherError | undefined = new AetherError('UPDATER_UNAVAILABLE', 'the bus has gone');
  const updates = new StartingUpdates(() => {
    if (away !== undefined) return Promise.reject(away);
    return ApplianceUpdates.open(
      { folder: '/updates', version: '1.0.0', alone: false, restartMachine: () => Promise.resolve() },
      {
        ...ports,
        slots,
        updatesDisk: new MemoryDisk({ entropy: new SeededEntropy(3) }),
        server: { listen: () => Promise.reject(new Error('nothing is streamed')) },
      },
    );
  });
  updates.attach(box);
  control.attachUpdates(updates);
  const put = encodeCbor({ offset: 0, totalBytes: bundle.length, bytes: bundle });
  const refusals = [
    () => control.receiveUpdate(bundle.length, inOnePiece()),
    () => control.installUpdate(),
    () => answer(methods.updatePut, put),
    () => answer(methods.updateInstall, encodeCbor({})),
  ];
  for (const each of refusals)
    await assert.rejects(each(), { code: 'UPDATER_UNAVAILABLE', help: /still starting/ });
  updates.start(asked.promise, ports);
  await settle();
  for (const each of refusals)
    await assert.rejects(each(), { code: 'UPDATER_UNAVAILABLE', help: /the bus has gone/ });
  away = undefined;
  await ports.clock.run(updaterRetryMs);
  assert.equal(await control.receiveUpdate(bundle.length, inOnePiece()), '2.0.0');
  await answer(methods.updatePut, put);
  assert.equal(control.machineFacts().update.state, 'staged');
  asked.resolve();
  await updates.close();
});

test('a program on somebody’s computer is updated by others, and says so', async () => {
  const { control } = await startBox();
  const elsewhere = { code: 'UPDATE_ELSEWHERE' };
  await assert.rejects(control.receiveUpdate(bundle.length, inOnePiece()), elsewhere);
  await assert.rejects(control.installUpdate(), elsewhere);
});
