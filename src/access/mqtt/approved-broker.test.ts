import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCbor } from '../../base/cbor.ts';
import { silentLog } from '../../base/log.ts';
import { replaceFile } from '../../ports/replace-file.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { ApprovedBroker, approvedBrokerPath } from './approved-broker.ts';

const chosen = {
  instance: 'Home Assistant',
  host: 'ha.local',
  port: 1883,
  addresses: ['192.0.2.7', 'fe80::1%eth0'],
};
const ports = { log: silentLog };
const newDisk = (seed = 1) => new MemoryDisk({ entropy: new SeededEntropy(seed) });

test('what a person approved is there after a power cut, and what was forgotten is not', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = newDisk(seed);
    await (await ApprovedBroker.open(disk, ports)).set(chosen);
    disk.crash();
    const again = await ApprovedBroker.open(disk, ports);
    assert.deepEqual(again.broker, chosen);
    await again.set(null);
    disk.crash();
    assert.equal((await ApprovedBroker.open(disk, ports)).broker, null);
  }
});

test('a file that is damaged or of a later version approves nobody', async () => {
  for (const bytes of [
    new Uint8Array([0xff, 1]),
    encodeCbor({ v: 2 }),
    encodeCbor({ v: 1, broker: { instance: 3 } }),
  ]) {
    const disk = newDisk();
    await replaceFile(disk, approvedBrokerPath, bytes);
    assert.equal((await ApprovedBroker.open(disk, ports)).broker, null);
  }
});

test('a disk that does not take it says so, and nobody is approved', async () => {
  const disk = newDisk();
  const approved = await ApprovedBroker.open(disk, ports);
  disk.fail('DISK_IO');
  await assert.rejects(approved.set(chosen), { code: 'DISK_IO' });
  assert.equal(approved.broker, null);
  disk.fail(undefined);
  await approved.set(chosen);
  assert.deepEqual(approved.broker, chosen);
});
