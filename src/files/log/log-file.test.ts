import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, equalBytes, utf8 } from '../../base/bytes.ts';
import { logRecordBytesMax } from '../../base/limits.ts';
import { MemoryDisk } from '../../testing/memory-disk.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { damagedBodies, LogFile } from './log-file.ts';
import { frameHeaderBytes } from './log-frame.ts';

const path = 'log/a.log';

async function newDisk(seed = 1): Promise<MemoryDisk> {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(seed) });
  await disk.makeDirectory('log');
  await disk.syncDirectory('');
  return disk;
}

function body(seq: number, size = 700): Bytes {
  return new Uint8Array(size).fill(seq % 251);
}

test('records are read by number, across many sparse index entries', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  const sizes = Array.from({ length: 150 }, (_, seq) => 1 + ((seq * 7919) % 3000));
  for (let seq = 0; seq < 150; seq += 10) {
    await log.append(
      seq,
      sizes.slice(seq, seq + 10).map((size, index) => body(seq + index, size)),
    );
  }
  for (const reader of [log, await LogFile.open(disk, path)]) {
    assert.equal(reader.count, 150);
    for (let seq = 0; seq < 150; seq++) {
      assert.deepEqual(await reader.read(seq, 1), [body(seq, sizes[seq]!)]);
    }
    const page = await reader.read(31, 10_000);
    assert.ok(page.length > 1 && page.reduce((sum, { length }) => sum + length, 0) <= 10_000);
    assert.deepEqual(await reader.read(150, 1000), []);
  }
});

test('appends that come together share one sync', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  let syncs = 0;
  disk.intercept((operation) => {
    if (operation === 'sync') syncs++;
  });
  await Promise.all(Array.from({ length: 20 }, (_, seq) => log.append(seq, [body(seq)])));
  assert.equal(log.count, 20);
  assert.equal(syncs, 1);
});

test('a crash at any step of an append loses nothing acknowledged and invents nothing', async () => {
  let torn = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const disk = await newDisk(seed);
    let steps = seed % 23;
    disk.intercept(() => {
      if (steps-- <= 0) disk.powerOff();
    });
    let acknowledged = 0;
    const log = await LogFile.open(disk, path);
    for (let seq = 0; seq < 12; seq += 3) {
      const three = [0, 1, 2].map((index) =>
        log.append(seq + index, [body(seq + index)]).then(
          () => acknowledged++,
          () => {},
        ),
      );
      await Promise.all(three);
    }
    disk.crash();
    const again = await LogFile.open(disk, path);
    assert.ok(again.count >= acknowledged, `seed ${seed}: ${again.count} of ${acknowledged}`);
    assert.equal(again.damaged, false, `seed ${seed}: a torn tail is no damage`);
    if (again.count > acknowledged) torn++;
    for (let seq = 0; seq < again.count; seq++) assert.deepEqual(await again.read(seq, 1), [body(seq)]);
    await again.append(again.count, [body(again.count)]);
    const third = await LogFile.open(disk, path);
    assert.equal(third.count, again.count);
  }
  assert.ok(torn > 0, 'some crash kept part of a batch');
});

test('a bad record before durable ones is damage: the log ends there, the rest is set aside', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  for (let seq = 0; seq < 6; seq++) await log.append(seq, [body(seq)]);
  disk.corrupt(path, 2 * (700 + frameHeaderBytes) + 300);
  const again = await LogFile.open(disk, path);
  assert.deepEqual([again.count, again.damaged], [2, true]);
  assert.deepEqual(await damagedBodies(disk, path), [body(3), body(4), body(5)]);
  await again.append(2, [body(2)]);
  assert.equal((await LogFile.open(disk, path)).damaged, false);
});

test('a damaged length does not hide the records behind it', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  for (let seq = 0; seq < 4; seq++) await log.append(seq, [body(seq)]);
  disk.corrupt(path, 700 + frameHeaderBytes + 5, 7);
  const again = await LogFile.open(disk, path);
  assert.deepEqual([again.count, again.damaged], [1, true]);
});

test('the last record gone bad looks like a torn tail, and is cut', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  for (let seq = 0; seq < 4; seq++) await log.append(seq, [body(seq)]);
  disk.corrupt(path, 3 * (700 + frameHeaderBytes) + 30);
  const again = await LogFile.open(disk, path);
  assert.deepEqual([again.count, again.damaged], [3, false]);
});

test('a full disk refuses an append and those behind it; the log goes on when there is room', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  await log.append(0, [body(0)]);
  disk.fillUp();
  const failed = [log.append(1, [body(1)]), log.append(2, [body(2)])];
  for (const one of failed) await assert.rejects(one, { code: 'DISK_FULL' });
  disk.resize(2 ** 30);
  await assert.rejects(log.append(2, [body(2)]), { code: 'LOG_GAP' });
  await log.append(1, [body(9)]);
  const again = await LogFile.open(disk, path);
  assert.ok(equalBytes((await again.read(1, 1))[0]!, body(9)));
});

test('after a failed sync nothing more is acknowledged', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  await log.append(0, [utf8('a')]);
  disk.intercept((operation) => {
    if (operation === 'sync') throw Object.assign(new Error('EIO'), { code: 'DISK_IO' });
  });
  await assert.rejects(log.append(1, [utf8('b')]), { code: 'DISK_IO' });
  disk.intercept(() => {});
  await assert.rejects(log.append(1, [utf8('b')]), { code: 'LOG_FAILED' });
});

test('a log that was opened after a kill has its name on the disk too', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = await newDisk(seed);
    disk.intercept((operation) => {
      if (operation === 'syncDirectory') throw Object.assign(new Error('killed'), { code: 'DISK_IO' });
    });
    const killed = await LogFile.open(disk, path);
    await assert.rejects(killed.append(0, [body(0)]));
    disk.intercept(() => {});
    assert.equal((await LogFile.open(disk, path)).count, 1);
    disk.crash();
    assert.equal((await LogFile.open(disk, path)).count, 1, `seed ${seed}`);
  }
});

test('the last good record is right when the bad one behind it lies across two windows', async () => {
  const disk = await newDisk();
  const log = await LogFile.open(disk, path);
  const size = logRecordBytesMax - 1000;
  for (let seq = 0; seq < 9; seq++) await log.append(seq, [body(seq + 1, size)]);
  disk.corrupt(path, 4 * (size + frameHeaderBytes) + size - 5);
  const again = await LogFile.open(disk, path);
  assert.deepEqual([again.count, again.damaged], [4, true]);
  assert.ok(equalBytes(again.lastBody!, body(4, size)));
});
