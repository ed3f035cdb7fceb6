import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { KnownVolumes } from './known-volumes.ts';

const id = new Uint8Array(16).fill(3);
const ports = { log: silentLog };

test('what was in a place is known after a power cut, until it is forgotten', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const known = await KnownVolumes.open(disk, ports);
  await Promise.all([
    known.note('disk1', { id, retired: false }),
    known.note('disk2', { id, retired: true }),
  ]);
  disk.crash();
  const again = await KnownVolumes.open(disk, ports);
  assert.deepEqual(again.get('disk1'), { id, retired: false });
  assert.deepEqual(again.get('disk2'), { id, retired: true });
  await again.forget('disk1');
  disk.crash();
  assert.equal((await KnownVolumes.open(disk, ports)).get('disk1'), undefined);
});

test('a damaged list is none', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(2) });
  await (await KnownVolumes.open(disk, ports)).note('disk1', { id, retired: false });
  disk.corrupt('volumes.cbor', 0);
  assert.equal((await KnownVolumes.open(disk, ports)).get('disk1'), undefined);
});
