import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { requireDataFormat } from '../box-data-format.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const newDisk = () => new MemoryDisk({ entropy: new SeededEntropy(1) });

test('what this version or one before wrote is opened; what a newer one wrote is not', async () => {
  const disk = newDisk();
  await requireDataFormat(disk, silentLog, 2);
  disk.crash();
  await requireDataFormat(disk, silentLog, 2);
  await requireDataFormat(disk, silentLog, 3);
  await assert.rejects(requireDataFormat(disk, silentLog, 1), { code: 'DATA_FORMAT_NEWER' });
  await requireDataFormat(disk, silentLog, 2);
});

test('a newer version that only looks, as one on trial, leaves what the one before can open', async () => {
  const disk = newDisk();
  await requireDataFormat(disk, silentLog, 1);
  await requireDataFormat(disk, silentLog, 2);
  await requireDataFormat(disk, silentLog, 1);
});

test('where the mark is damaged, each file says for itself what it is', async () => {
  const disk = newDisk();
  await requireDataFormat(disk, silentLog, 1);
  const file = await disk.open('format.cbor', 'write');
  await file.write([new Uint8Array([0xff])], 0);
  await file.close();
  await requireDataFormat(disk, silentLog, 1);
});
