import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pinLockMs, pinTriesMax } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { MaintenancePin } from './maintenance-pin.ts';

function ports() {
  const entropy = new SeededEntropy(1);
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
