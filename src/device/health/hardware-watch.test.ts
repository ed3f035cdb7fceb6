import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { clockSetWithinMs, firstLookMs, locateMs, machinePollMs } from '../../base/face-limits.ts';
import { createLog, type LogEntry } from '../../base/log.ts';
import { releasedMs } from '../../base/version.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeDiskShelf, FakeMachine } from '../../testing/fake-machine.ts';
import { HardwareWatch, type WatchedVolume } from './hardware-watch.ts';

const disk1: WatchedVolume = { name: 'disk1', path: '/mnt/disk1' };

async function open(
  attach: (shelf: FakeDiskShelf) => void = () => {},
  clock = new FakeClock(releasedMs),
  clockIsKnown = () => true,
) {
  const machine = new FakeMachine();
  const shelf = new FakeDiskShelf();
  const entries: LogEntry[] = [];
  const log = createLog(
    'health',
    () => 0,
    (entry) => entries.push(entry),
  );
  attach(shelf);
  const stateDisk = { space: async () => ({ totalBytes: 2e9, freeBytes: 1e9 }) };
  const ports = { machine, shelf, stateDisk, clock, clockIsKnown, log };
  const watch = await HardwareWatch.start(() => [disk1], ports);
  const gone: string[] = [];
  watch.onGone((volume) => gone.push(volume));
  return { watch, machine, shelf, clock, entries, gone };
}

test('disks are known at once, the computer a moment later', async () => {
  const { watch, clock } = await open((shelf) =>
    shelf.attach('sda', { paths: [disk1.path], content: 'ext4 file system' }),
  );
  await clock.run(firstLookMs);
  const { hardware, disks } = watch.facts();
  assert.deepEqual(
    [hardware.temperatureCelsius, hardware.loadPercent, hardware.clock],
    [48, 7, 'synchronised'],
  );
  assert.deepEqual(hardware.recordsSpace, { totalBytes: 2e9, freeBytes: 1e9 });
  assert.deepEqual([disks[0]!.role, disks[0]!.volume], ['volume', 'disk1']);
  watch.close();
});

test('what a disk is for is told by what is on it', async () => {
  const { watch } = await open((shelf) => {
    shelf.attach('mmcblk0', { isSystem: true, content: '2 partitions' });
    shelf.attach('sda', { content: null });
    shelf.attach('sdb', { content: 'ntfs file system' });
    shelf.attach('sdc', { content: undefined });
  });
  assert.deepEqual(
    watch.facts().disks.map(({ device, role }) => `${device} ${role}`),
    ['mmcblk0 system', 'sda blank', 'sdb foreign', 'sdc foreign'],
    'what cannot be looked at is somebody’s',
  );
  assert.throws(() => watch.requireBlank('sdb'), { code: 'DISK_NOT_BLANK' });
  assert.throws(() => watch.requireBlank('sdc'), { code: 'DISK_NOT_BLANK' });
  assert.throws(() => watch.requireBlank('sdz'), { code: 'DISK_UNKNOWN' });
  watch.requireBlank('sda');
  watch.close();
});

test('a disk that is pulled is gone once, however it is told', async () => {
  const { watch, shelf, clock, gone } = await open((all) => all.attach('sda', { paths: [disk1.path] }));
  shelf.pull('sda');
  await clock.run(0);
  shelf.attach('sdb');
  await clock.run(0);
  assert.deepEqual(gone, ['disk1']);
  shelf.attach('sda', { paths: [disk1.path] });
  await clock.run(0);
  // Its name stays, but there is nothing behind it any more.
  shelf.attach('sda', { sizeBytes: 0, paths: [disk1.path] });
  await clock.run(0);
  assert.deepEqual(gone, ['disk1', 'disk1']);
  watch.close();
});

test('a volume whose folder lies on another disk than before has lost its own', async () => {
  const { watch, shelf, clock, gone } = await open((all) => {
    all.attach('sda', { paths: [disk1.path] });
    all.attach('mmcblk0', { isSystem: true });
  });
  shelf.attach('mmcblk0', { isSystem: true, paths: [disk1.path] });
  shelf.attach('sda', { paths: [] });
  await clock.run(0);
  assert.deepEqual(gone, ['disk1']);
  watch.close();
});

test('lists take turns, and one that fails is logged and the next works', async () => {
  const { watch, shelf, clock, entries } = await open();
  for (let count = 0; count < 20; count++) shelf.attach(`sd${String.fromCharCode(97 + count)}`);
  await clock.run(0);
  assert.equal(shelf.lists.most, 1);
  shelf.failure = new Error('sysfs is gone');
  shelf.attach('sdz');
  await clock.run(0);
  assert.equal(entries.filter(({ level }) => level === 'warn').length, 1);
  assert.equal(watch.facts().disks.length, 20);
  shelf.failure = undefined;
  shelf.attach('sdz');
  await clock.run(0);
  assert.equal(watch.facts().disks.length, 21);
  watch.close();
});

test('a lamp blinks for a minute, or until it is told to stop, and not at all where it cannot', async () => {
  const { watch, shelf, clock } = await open((all) => all.attach('sda'));
  const locating = () => watch.facts().disks[0]!.locating;
  await watch.locate('sda', true);
  assert.equal(locating(), true);
  await clock.run(locateMs);
  assert.equal(locating(), false);
  await watch.locate('sda', true);
  await watch.locate('sda', false);
  assert.equal(locating(), false);
  shelf.failure = new AetherError('DISK_DENIED', 'no');
  await assert.rejects(watch.locate('sda', true), { code: 'DISK_DENIED' });
  assert.equal(locating(), false);
  await assert.rejects(watch.locate('sdz', true), { code: 'DISK_UNKNOWN' });
  watch.close();
});

test('a disk is asked for its own opinion when it is attached, and forgotten when it goes', async () => {
  const { watch, shelf, clock } = await open((all) => {
    all.smartOf.set('sda', { smart_status: { passed: false } });
    all.attach('sda');
  });
  await clock.run(firstLookMs);
  assert.equal(watch.facts().disks[0]!.smart?.passed, false);
  shelf.pull('sda');
  await clock.run(0);
  shelf.smartOf.delete('sda');
  shelf.attach('sda');
  await clock.run(0);
  assert.equal(watch.facts().disks[0]!.smart, null);
  watch.close();
});

test('errors count by their rate: what a disk or a wire had before is no news', async () => {
  const { watch, shelf, machine, clock } = await open((all) => all.attach('sda', { errors: 400 }));
  await clock.run(machinePollMs);
  assert.equal(watch.facts().disks[0]!.errorsPerHour, 0);
  assert.deepEqual(watch.facts().hardware.networkErrors, []);
  shelf.attach('sda', { errors: 407 });
  machine.reading = { ...machine.reading, networkErrors: new Map([['eth0', 1_000_050]]) };
  await clock.run(machinePollMs);
  assert.equal(watch.facts().disks[0]!.errorsPerHour, 7);
  assert.deepEqual(watch.facts().hardware.networkErrors, [{ interface: 'eth0', perMinute: 50 }]);
  watch.close();
});

test('a clock from before this program was made is not set', async () => {
  const { watch, clock } = await open(() => {}, new FakeClock(0));
  await clock.run(firstLookMs);
  assert.equal(watch.facts().hardware.clock, 'unset');
  watch.close();
});

test('a clock that goes on from what was noted is told of a minute after the start', async () => {
  const clock = new FakeClock(releasedMs);
  let isKnown = false;
  const { watch, machine } = await open(
    () => {},
    clock,
    () => isKnown,
  );
  machine.reading = { ...machine.reading, clockSynchronised: false };
  await clock.run(clockSetWithinMs - 1);
  assert.equal(watch.facts().hardware.clock, 'free');
  await clock.run(1);
  assert.equal(watch.facts().hardware.clock, 'holdover');
  isKnown = true;
  assert.equal(watch.facts().hardware.clock, 'free');
  watch.close();
});
