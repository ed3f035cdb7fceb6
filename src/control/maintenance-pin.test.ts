import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pinLockMs, pinTriesMax } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { Hang, HangingDisk } from '../testing/hanging-disk.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { MaintenancePin } from './maintenance-pin.ts';

function ports(seed = 1) {
  const entropy = new SeededEntropy(seed);
  return { disk: new MemoryDisk({ entropy }), clock: new FakeClock(), entropy, log: silentLog };
}

test('there is no PIN until somebody sets one, and it outlives a power cut', async () => {
  const world = ports();
  const pin = await MaintenancePin.open(world);
  assert.equal(pin.isSet, false);
  assert.equal(await pin.check('1234'), false);
  await pin.set('1234');
  world.disk.crash();
  const again = await MaintenancePin.open(world);
  assert.equal(again.isSet, true);
  assert.equal(await again.check('1234'), true);
  assert.equal(await again.check('1235'), false);
  await again.set(null);
  assert.equal((await MaintenancePin.open(world)).isSet, false);
});

test('one that was taken away does not come back after a power cut', async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const world = ports(seed);
    const pin = await MaintenancePin.open(world);
    await pin.set('1234');
    await pin.set(null);
    world.disk.crash();
    assert.equal((await MaintenancePin.open(world)).isSet, false);
  }
});

test('the PIN itself is not on the disk', async () => {
  const world = ports();
  await (await MaintenancePin.open(world)).set('open sesame');
  assert.equal(Buffer.from(world.disk.contents('pin.cbor')!).includes('sesame'), false);
});

test('after five wrong ones even the right one is refused for a while, then longer', async () => {
  const world = ports();
  const pin = await MaintenancePin.open(world);
  await pin.set('1234');
  for (let index = 0; index < pinTriesMax; index++) assert.equal(await pin.check('9999'), false);
  await assert.rejects(pin.check('1234'), { code: 'PIN_LOCKED' });
  await world.clock.run(pinLockMs);
  assert.equal(await pin.check('8888'), false);
  await world.clock.run(pinLockMs);
  await assert.rejects(pin.check('1234'), { code: 'PIN_LOCKED' });
  await world.clock.run(pinLockMs);
  assert.equal(await pin.check('1234'), true);
});

test('two that are set at once take turns at the disk, and the last one holds', async () => {
  const world = ports();
  const slow = new Hang();
  const pin = await MaintenancePin.open({ ...world, disk: new HangingDisk(world.disk, slow) });
  slow.hang();
  const both = Promise.all([pin.set('1111'), pin.set('2222')]);
  // Takes as long as either of them needs to come to the disk, and comes after.
  await (await MaintenancePin.open(ports())).set('3333');
  while (slow.waiting === 0) await settle();
  assert.equal(slow.waiting, 1);
  slow.answer();
  await both;
  for (const each of [pin, await MaintenancePin.open(world)]) {
    assert.equal(await each.check('1111'), false);
    assert.equal(await each.check('2222'), true);
  }
});

test('what takes the PIN away takes away one that is still being set, too', async () => {
  const world = ports();
  const pin = await MaintenancePin.open(world);
  await Promise.all([pin.set('1234'), pin.set(null)]);
  assert.equal(pin.isSet, false);
  assert.equal((await MaintenancePin.open(world)).isSet, false);
});

test('each change is counted, and none that did not happen', async () => {
  const world = ports();
  const pin = await MaintenancePin.open(world);
  await pin.set('1234');
  assert.equal(pin.changes, 1);
  await assert.rejects(pin.set('1'), { code: 'PIN_INVALID' });
  world.disk.powerOff();
  await assert.rejects(pin.set('4321'));
  assert.equal(pin.changes, 1);
  world.disk.crash();
  await pin.set(null);
  assert.equal(pin.changes, 2);
});

test('a try that began before the PIN was changed is one at the old PIN', async () => {
  const pin = await MaintenancePin.open(ports());
  await pin.set('1111');
  const tries = ['9999', '9999', '9999', '2222'].map((tried) => pin.check(tried));
  await pin.set('2222');
  assert.deepEqual(await Promise.all(tries), [false, false, false, false]);
  assert.equal(await pin.check('2222'), true);
});

test('what is no PIN is refused, and a damaged file is none', async () => {
  const world = ports();
  const pin = await MaintenancePin.open(world);
  for (const bad of ['', '123', 'a'.repeat(65), '12\u000034']) {
    await assert.rejects(pin.set(bad), { code: 'PIN_INVALID' });
    assert.equal(await pin.check(bad), false);
  }
  await pin.set('1234');
  world.disk.corrupt('pin.cbor', 0);
  assert.equal((await MaintenancePin.open(world)).isSet, false);
});
