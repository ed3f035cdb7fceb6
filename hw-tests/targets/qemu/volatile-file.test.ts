import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../scripts/lan/temporary-folder.ts';
import { VolatileFile } from './volatile-file.ts';

const sector = (byte: number, count = 1) => Buffer.alloc(512 * count, byte);

async function opened(random: () => number): Promise<VolatileFile> {
  const path = join(temporaryFolder('volatile'), 'disk');
  writeFileSync(path, sector(0, 8));
  return VolatileFile.open(path, random);
}

test('what was flushed outlives a power cut, what was not may be gone', async () => {
  const file = await opened(() => 0.5);
  await file.write(0, sector(1));
  file.flush();
  await file.write(0, sector(2));
  await file.write(512, sector(3));
  assert.deepEqual(await file.read(0, 1024), Buffer.concat([sector(2), sector(3)]));
  assert.deepEqual(await file.cutPower(), { writes: 2, lost: 2 });
  assert.deepEqual(await file.read(0, 1024), Buffer.concat([sector(1), sector(0)]));
  await file.close();
});

test('a later write may be there without an earlier one, and one may be torn', async () => {
  // The first is lost, the second kept, of the third the second sector.
  const draws = [0.4, 0.1, 0.9, 0.7, 0.2];
  const file = await opened(() => draws.shift() ?? 0);
  await file.write(0, sector(1, 2));
  await file.write(512, sector(2));
  await file.write(1024, sector(3, 2));
  assert.deepEqual(await file.cutPower(), { writes: 3, lost: 2 });
  assert.deepEqual(await file.read(0, 2048), Buffer.concat([sector(0), sector(2), sector(0), sector(3)]));
  await file.close();
});
