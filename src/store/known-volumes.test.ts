import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
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

test('what could not be written is not known, and is written when it is noted again', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(3) });
  const known = await KnownVolumes.open(disk, ports);
  let refusals = 1;
  disk.intercept((operation) => {
    if (operation === 'write' && refusals-- > 0) throw new AetherError('DISK_FULL', 'full');
  });
  const [first, second] = await Promise.allSettled([
    known.note('disk1', { id, retired: false }),
    known.note('disk2', { id, retired: false }),
  ]);
  assert.deepEqual([first.status, second.status], ['rejected', 'fulfilled']);
  assert.equal(known.get('disk1'), undefined);
  assert.equal((await KnownVolumes.open(disk, ports)).get('disk1'), undefined);
  await known.note('disk1', { id, retired: false });
  const again = await KnownVolumes.open(disk, ports);
  assert.deepEqual([again.get('disk1'), again.get('disk2')], [known.get('disk1'), known.get('disk2')]);
  assert.notEqual(again.get('disk1'), undefined);
});

test('what is noted as before, after a write that may have got halfway, is written again', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(4) });
  const known = await KnownVolumes.open(disk, ports);
  await known.note('disk1', { id, retired: false });
  let refusals = 1;
  disk.intercept((operation) => {
    if (operation === 'syncDirectory' && refusals-- > 0) throw new AetherError('DISK_IO', 'not synced');
  });
  await assert.rejects(known.forget('disk1'), { code: 'DISK_IO' });
  await known.note('disk1', { id, retired: false });
  assert.notEqual((await KnownVolumes.open(disk, ports)).get('disk1'), undefined);
});
