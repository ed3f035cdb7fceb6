import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentFilesOpenMax } from '../base/limits.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { settle } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { segmentPath } from './segment.ts';
import { SegmentFiles } from './segment-files.ts';

/** A disk with segments 1 to `count`, which counts what is open. */
async function diskWith(count: number): Promise<{ disk: Disk; open: Set<DiskFile>; opens: () => number }> {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  await disk.makeDirectory('segments');
  for (let segment = 1; segment <= count; segment++) {
    await (await disk.open(segmentPath(segment), 'create')).close();
  }
  const open = new Set<DiskFile>();
  let opens = 0;
  const counting: Disk = Object.create(disk, {
    open: {
      value: async (path: string, mode: 'read') => {
        const file = await disk.open(path, mode);
        const close = file.close.bind(file);
        file.close = async () => {
          assert.ok(open.delete(file), 'closed once');
          await close();
        };
        open.add(file);
        opens++;
        return file;
      },
    },
  });
  return { disk: counting, open, opens: () => opens };
}

test('a segment that is read again is not opened again, and no more than the bound stay open', async () => {
  const count = segmentFilesOpenMax + 5;
  const { disk, open, opens } = await diskWith(count);
  const files = new SegmentFiles(disk);
  for (let round = 0; round < 3; round++) await files.use(1, (file) => file.sizeBytes());
  assert.equal(opens(), 1);
  for (let segment = 1; segment <= count; segment++) await files.use(segment, (file) => file.sizeBytes());
  await settle();
  assert.equal(open.size, segmentFilesOpenMax);
  await files.use(count, (file) => file.sizeBytes());
  assert.equal(opens(), count);
  files.close();
  await settle();
  assert.equal(open.size, 0);
});

test('a file in use is closed by its last reader, not before', async () => {
  const { disk, open } = await diskWith(1);
  const files = new SegmentFiles(disk);
  let finish = () => {};
  const reading = files.use(1, async (file) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return file.sizeBytes();
  });
  await settle();
  files.close();
  await settle();
  assert.equal(open.size, 1);
  finish();
  assert.equal(await reading, 0);
  await settle();
  assert.equal(open.size, 0);
});

test('after an error the segment is opened anew, and nothing stays open', async () => {
  const { disk, open, opens } = await diskWith(1);
  const files = new SegmentFiles(disk);
  const fail = () => files.use(1, async () => Promise.reject(new Error('read failed')));
  await Promise.allSettled([fail(), fail()]);
  await settle();
  assert.equal(open.size, 0);
  await files.use(1, (file) => file.sizeBytes());
  assert.equal(opens(), 2);
  await assert.rejects(
    files.use(2, (file) => file.sizeBytes()),
    { code: 'DISK_NOT_FOUND' },
  );
});
