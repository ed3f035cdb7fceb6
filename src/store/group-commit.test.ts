import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { AetherError } from '../base/errors.ts';
import type { Disk, DiskErrorCode } from '../ports/disk.ts';
import { settle } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { GroupCommit } from './group-commit.ts';
import { recordBytes } from './record.ts';
import { segmentHeaderBytes, segmentPath, segmentsFolder } from './segment.ts';
import { type NewRecord, SegmentWriter } from './segment-writer.ts';

const bodyBytes = 1000;
const segmentBytes = 4 * recordBytes(bodyBytes);

function record(seed: number): NewRecord {
  const body = new Uint8Array(bodyBytes).fill(seed);
  return { id: new Uint8Array(32).fill(seed), body, bodyCrc: crc32(body) };
}

/** A log on a disk whose syncs wait until the test lets each succeed or fail. */
async function setUp() {
  const memory = new MemoryDisk({ entropy: new SeededEntropy(1) });
  await memory.makeDirectory(segmentsFolder);
  const syncs: ((code?: DiskErrorCode) => void)[] = [];
  const disk: Disk = Object.assign(Object.create(memory) as Disk, {
    makeDirectory: memory.makeDirectory.bind(memory),
    syncDirectory: memory.syncDirectory.bind(memory),
    remove: memory.remove.bind(memory),
    open: async (...args: Parameters<Disk['open']>) => {
      const file = await memory.open(...args);
      const sync = file.sync.bind(file);
      file.sync = async () => {
        const code = await new Promise<DiskErrorCode | undefined>((go) => syncs.push(go));
        if (code !== undefined) throw new AetherError(code, 'as the test wants it');
        await sync();
      };
      return file;
    },
  });
  const log: string[] = [];
  const start = { segment: 0, offset: 0, appendable: false };
  const writer = new SegmentWriter(disk, new Uint8Array(16), start, segmentBytes);
  const groups = new GroupCommit(writer, {
    durable: (records, _, { end }) => log.push(`durable ${seedsOf(records)} to ${end.segment}:${end.offset}`),
    failed: (error) => log.push(`failed ${(error as AetherError).code}`),
  });
  const put = (...seeds: number[]) => {
    const outcome = groups.put(seeds.map(record)).then(
      () => log.push(`ok ${seeds}`),
      (error: AetherError) => log.push(`${error.code} ${seeds}`),
    );
    return settle().then(() => outcome as unknown as undefined);
  };
  const endSync = async (code?: DiskErrorCode) => {
    syncs.shift()!(code);
    await settle();
  };
  const sizeOf = (segment: number) => memory.contents(segmentPath(segment)).length;
  return { memory, groups, log, syncs, put, endSync, sizeOf };
}

const seedsOf = (records: readonly NewRecord[]) => records.map(({ id }) => id[0]).join();
const end = (count: number) => segmentHeaderBytes + count * recordBytes(bodyBytes);

/** Begins a put without waiting for it. */
async function begin(put: (...seeds: number[]) => Promise<unknown>, ...seeds: number[]): Promise<void> {
  void put(...seeds);
  await settle();
}

test('a group is written while the one before is synced, and acknowledged only after its own sync', async () => {
  const { log, syncs, put, endSync, sizeOf } = await setUp();
  await begin(put, 1);
  await begin(put, 2);
  assert.equal(sizeOf(1), end(2));
  assert.equal(syncs.length, 1);
  await begin(put, 3);
  assert.equal(sizeOf(1), end(2), 'the third gathers until the second has a sync of its own');
  await endSync();
  assert.deepEqual(log, [`durable 1 to 1:${end(1)}`, 'ok 1']);
  await endSync();
  await endSync();
  assert.deepEqual(log.slice(2), [`durable 2 to 1:${end(2)}`, 'ok 2', `durable 3 to 1:${end(3)}`, 'ok 3']);
});

test('when a sync fails, what was written behind it fails too and is cut off, and the log goes on', async () => {
  const { log, put, endSync, sizeOf } = await setUp();
  await begin(put, 1);
  await endSync();
  await begin(put, 2);
  await begin(put, 3);
  await endSync('DISK_FULL');
  assert.deepEqual(log.slice(2), ['failed DISK_FULL', 'DISK_FULL 2', 'failed DISK_FULL', 'DISK_FULL 3']);
  assert.equal(sizeOf(1), end(1));
  await begin(put, 4);
  await endSync();
  assert.deepEqual(log.slice(6), [`durable 4 to 1:${end(2)}`, 'ok 4']);
});

test('a new segment waits until all of the one before is durable; one that is not synced is taken back', async () => {
  const { memory, log, syncs, put, endSync } = await setUp();
  await begin(put, 1, 2, 3);
  await begin(put, 4, 5);
  assert.deepEqual(memory.paths(), [segmentPath(1)]);
  await endSync();
  assert.deepEqual(memory.paths(), [segmentPath(1), segmentPath(2)]);
  await endSync('DISK_FULL');
  assert.deepEqual(memory.paths(), [segmentPath(1)]);
  assert.deepEqual(log.slice(2), ['failed DISK_FULL', 'DISK_FULL 4,5']);
  await begin(put, 6, 7);
  assert.equal(syncs.length, 1);
  await endSync();
  assert.deepEqual(log.slice(4), [`durable 6,7 to 2:${end(2)}`, 'ok 6,7']);
});

test('a write that fails while the group before is synced fails alone', async () => {
  const { memory, log, put, endSync, sizeOf } = await setUp();
  await begin(put, 1);
  memory.fillUp();
  await begin(put, 2);
  assert.deepEqual(log, ['failed DISK_FULL', 'DISK_FULL 2']);
  await endSync();
  assert.deepEqual(log.slice(2), [`durable 1 to 1:${end(1)}`, 'ok 1']);
  assert.equal(sizeOf(1), end(1));
});

test('what waits is refused when the log is stopped, and what is under way ends', async () => {
  const { groups, log, put, endSync } = await setUp();
  await begin(put, 1);
  await begin(put, 2);
  await begin(put, 3);
  groups.stop(new AetherError('STORE_CLOSED', 'closed'));
  await settle();
  assert.deepEqual(log, ['failed STORE_CLOSED', 'STORE_CLOSED 3']);
  await endSync();
  await endSync();
  await groups.idle();
  assert.deepEqual(log.slice(2), [`durable 1 to 1:${end(1)}`, 'ok 1', `durable 2 to 1:${end(2)}`, 'ok 2']);
});
