import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeLookPeriodMs, timeNotePeriodMs } from '../base/limits.ts';
import { createLog, type LogEntry } from '../base/log.ts';
import { releasedMs } from '../base/version.ts';
import { TimeNotes } from '../box-time.ts';
import { PoolTime } from '../pool/pool-time.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const today = releasedMs + 1e9;

/** A start of a box with this state, whose own clock shows `startMs` and is not set. */
async function start(stateDisk: MemoryDisk, startMs: number) {
  const own = new FakeClock(startMs);
  const time = new PoolTime(own);
  const entries: LogEntry[] = [];
  const log = createLog(
    'box',
    () => 0,
    (entry) => entries.push(entry),
  );
  const notes = await TimeNotes.open(time, { stateDisk, clock: time.clock, log });
  return { own, time, notes, entries };
}

const emptyDisk = () => new MemoryDisk({ entropy: new SeededEntropy(1), totalBytes: 2 ** 20 });

test('a box whose clock forgot the time goes on from what was noted, also after a power cut', async () => {
  const disk = emptyDisk();
  const first = await start(disk, today);
  await first.own.run(timeLookPeriodMs + timeNotePeriodMs);
  disk.crash();
  const second = await start(disk, 0);
  const shownMs = second.time.clock.wallMs();
  assert.ok(
    shownMs >= today + timeLookPeriodMs && shownMs <= first.time.clock.wallMs(),
    `${shownMs - today}`,
  );
  assert.equal(second.time.isKnown, false);
});

test('a clock that leaps is noted soon, one that goes on now and then, and when the box ends', async () => {
  const disk = emptyDisk();
  const { own, time, notes } = await start(disk, 0);
  let writes = 0;
  disk.intercept((operation) => {
    if (operation === 'rename') writes++;
  });
  await own.run(timeNotePeriodMs - 1);
  assert.equal(writes, 0);
  await own.run(2 * timeLookPeriodMs);
  assert.equal(writes, 1);
  time.hear({ memberId: new Uint8Array(32), role: 'box' }, { wallMs: today, isSet: true });
  await own.run(timeLookPeriodMs);
  assert.equal(writes, 2);
  await notes.close();
  const endedMs = time.clock.wallMs();
  assert.equal((await start(disk, 0)).time.clock.wallMs(), endedMs);
});

test('a note that is damaged is none, and one that cannot be made is told of once', async () => {
  const disk = emptyDisk();
  const first = await start(disk, today);
  await first.notes.close();
  disk.corrupt('time.cbor', 0);
  const { own, time, notes, entries } = await start(disk, 0);
  assert.equal(time.clock.wallMs(), 0);
  disk.fillUp();
  await own.run(3 * timeNotePeriodMs);
  await notes.close();
  assert.deepEqual(
    entries.map(({ level }) => level),
    ['warn', 'warn'],
  );
});
