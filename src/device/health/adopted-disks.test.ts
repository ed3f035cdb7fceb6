import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { AdoptedDisks } from './adopted-disks.ts';

const labels = ['aether-000001', 'aether-000002'] as const;

async function open() {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const reopen = () => AdoptedDisks.open(disk, { log: silentLog });
  return { disk, reopen, adopted: await reopen() };
}

test('two disks that are noted at once are both known after a restart', async () => {
  const { disk, reopen, adopted } = await open();
  await Promise.all(labels.map((label) => adopted.add(label)));
  assert.deepEqual(adopted.labels, labels);
  disk.crash();
  assert.deepEqual((await reopen()).labels, labels);
});

test('one that is noted twice is there once, and is gone when it was removed once', async () => {
  const { reopen, adopted } = await open();
  await Promise.all([adopted.add(labels[0]), adopted.add(labels[0]), adopted.add(labels[1])]);
  assert.deepEqual(adopted.labels, labels);
  await Promise.all([adopted.remove(labels[0]), adopted.remove(labels[0])]);
  assert.deepEqual((await reopen()).labels, [labels[1]]);
});

test('one that cannot be noted keeps none after it from being noted', async () => {
  const { disk, reopen, adopted } = await open();
  disk.fail('DISK_FULL');
  await assert.rejects(adopted.add(labels[0]), { code: 'DISK_FULL' });
  disk.fail(undefined);
  await adopted.add(labels[1]);
  assert.deepEqual((await reopen()).labels, [labels[1]]);
});
