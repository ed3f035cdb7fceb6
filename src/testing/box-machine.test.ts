import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '../base/errors.ts';
import { mountWaitMs } from '../base/face-limits.ts';
import type { VolumeFacts } from '../status/facts.ts';
import { startWithDisk, World } from './box-machine-world.ts';
import { settle } from './fake-clock.ts';
import { fakeCompute } from './fake-compute.ts';
import { MemoryDisk } from './memory-disk.ts';

test('a blank disk is taken into use, and is there again after a restart', async () => {
  const world = new World();
  world.shelf.attach('sda');
  const first = await world.start();
  await first.machine.adopt('sda');
  const [volume] = first.disks.facts().volumes;
  assert.match(volume!.name, /^aether-[0-9a-f]{6}$/);
  assert.equal(volume!.state, 'ok');
  assert.equal(first.machine.facts().disks[0]!.role, 'volume');
  assert.equal(first.machine.facts().disks[0]!.volume, volume!.name);
  await first.close();
  assert.ok(world.shelf.asked.includes(`unmount ${volume!.name}`));
  world.stateDisk.crash();
  const second = await world.start();
  assert.deepEqual(
    second.disks.facts().volumes.map(({ name, state }) => [name, state]),
    [[volume!.name, 'ok']],
  );
  await second.close();
});

test('a disk with anything on it is not touched', async () => {
  const world = new World();
  world.shelf.attach('sda', { content: 'ext4 file system "photos"' });
  const { machine, disks, close } = await world.start();
  await assert.rejects(machine.adopt('sda'), { code: 'DISK_NOT_BLANK' });
  await assert.rejects(machine.adopt('sdz'), { code: 'DISK_UNKNOWN' });
  assert.deepEqual(disks.facts().volumes, []);
  assert.deepEqual(world.shelf.asked, []);
  await close();
});

test('an adopted disk that was pulled is mounted and served again when it is back', async () => {
  const world = new World();
  world.shelf.attach('sda');
  const { machine, disks, close } = await world.start();
  await machine.adopt('sda');
  const [{ name }] = disks.facts().volumes as readonly [VolumeFacts];
  const path = `/box/mounts/${name}`;
  world.diskAt(path).powerOff();
  world.shelf.pull('sda');
  await world.clock.run(0);
  assert.equal(disks.facts().volumes[0]!.state, 'missing');
  // Its dead mount is gone, or the disk could not be mounted where it belongs.
  assert.equal(world.shelf.mounted.has(name), false);
  world.diskAt(path).crash();
  world.shelf.attach('sdb', { content: `ext4 file system "${name}"` });
  await world.clock.run(10);
  assert.equal(disks.facts().volumes[0]!.state, 'ok');
  assert.equal(world.shelf.mounted.get(name), path);
  await close();
});

test('a start waits for a disk that the kernel finds a while later, and not for ever', async () => {
  const { world, name, ...before } = await startWithDisk();
  await before.close();
  world.shelf.pull('sda');

  const starting = world.start({ awaitsDisks: true });
  await world.clock.run(mountWaitMs - 2);
  world.shelf.attach('sdz');
  await world.clock.run(1);
  world.shelf.attach('sdb', { content: `ext4 file system "${name}"` });
  const late = await starting;
  assert.equal(late.disks.facts().volumes[0]!.state, 'ok');
  await late.close();
  world.shelf.pull('sdb');

  world.diskAt(`/box/mounts/${name}`).powerOff();
  const without = world.start({ awaitsDisks: true });
  await world.clock.run(mountWaitMs);
  const { disks, close } = await without;
  assert.equal(disks.facts().volumes[0]!.state, 'missing');
  await close();
  const again = await world.start();
  assert.equal(again.disks.facts().volumes[0]!.state, 'missing', 'at another start nobody waits');
  await again.close();
});

test('an adopted disk that is gone for good is no disk of the box any more, after a restart either', async () => {
  const world = new World();
  world.shelf.attach('sda');
  world.shelf.attach('sdb');
  const first = await world.start();
  await first.machine.adopt('sda');
  await first.machine.adopt('sdb');
  const [gone, stays] = first.disks.facts().volumes.map(({ name }) => name) as [string, string];
  await assert.rejects(first.machine.drop(stays), { code: 'VOLUME_UNKNOWN' });
  world.diskAt(`/box/mounts/${gone}`).powerOff();
  world.shelf.pull('sda');
  await world.clock.run(0);
  await first.machine.drop(gone);
  assert.equal(first.machine.hasTaken(gone), false);
  const states = (run: typeof first) => run.disks.facts().volumes.map(({ name, state }) => [name, state]);
  assert.deepEqual(states(first), [[stays, 'ok']]);
  await first.close();
  world.stateDisk.crash();
  const second = await world.start();
  assert.deepEqual(states(second), [[stays, 'ok']]);
  await second.close();
});

test('an emptied disk that is forgotten is not taken for a new one', async () => {
  const { world, name, ...first } = await startWithDisk();
  await first.disks.retire(name, undefined);
  await first.machine.drop(name);
  assert.deepEqual(first.disks.facts().volumes, []);
  await first.close();
  const second = await world.start();
  assert.deepEqual(second.disks.facts().volumes, []);
  assert.equal(second.machine.facts().disks[0]!.role, 'foreign');
  await second.close();
});

test('an emptied disk that was forgotten, taken back and emptied again is taken off its folder again', async () => {
  const { world, name, machine, disks, close } = await startWithDisk();
  await disks.retire(name, undefined);
  await machine.drop(name);
  await machine.adopt('sda');
  assert.equal(disks.facts().volumes[0]!.state, 'ok');
  world.shelf.asked.length = 0;
  await disks.retire(name, undefined);
  assert.deepEqual(world.shelf.asked, [`unmount ${name}`]);
  await close();
});

test('a disk that a box of the pool filled is taken back as it is, with what it holds', async () => {
  const world = new World();
  world.shelf.attach('sda');
  const first = await world.start();
  await first.machine.adopt('sda');
  const body = new TextEncoder().encode('a chunk');
  const id = await fakeCompute.sha256(body);
  await first.disks.store.put(id, body);
  await first.close();
  // A card of which nothing is left.
  world.stateDisk = new MemoryDisk({ entropy: world.entropy });
  const second = await world.start();
  assert.deepEqual(second.disks.facts().volumes, []);
  await second.machine.adopt('sda');
  assert.equal(world.shelf.asked.filter((asked) => asked.startsWith('format')).length, 1);
  assert.equal(second.disks.facts().volumes[0]!.state, 'ok');
  assert.deepEqual(await second.disks.store.get(id), body);
  await second.close();
  const third = await world.start();
  assert.equal(third.disks.facts().volumes[0]!.state, 'ok');
  await third.close();
});

test('a disk that a box of another pool filled is not taken, and left as it was', async () => {
  const world = new World();
  world.shelf.attach('sda');
  const first = await world.start({ pool: new Uint8Array(16).fill(1) });
  await first.machine.adopt('sda');
  await first.close();
  world.stateDisk = new MemoryDisk({ entropy: world.entropy });
  const second = await world.start({ pool: new Uint8Array(16).fill(2) });
  await assert.rejects(second.machine.adopt('sda'), { code: 'DISK_ADOPT_FAILED', message: /another pool/ });
  assert.deepEqual(second.disks.facts().volumes, []);
  assert.equal(world.shelf.asked.filter((asked) => asked.startsWith('format')).length, 1);
  await second.close();
});

test('an adopted disk that was emptied is taken off its folder, now and after a restart', async () => {
  const { world, name, ...first } = await startWithDisk();
  await first.disks.retire(name, undefined);
  assert.deepEqual(
    world.shelf.asked.filter((asked) => asked.startsWith('unmount')),
    [`unmount ${name}`],
  );
  await first.close();
  world.shelf.asked.length = 0;
  const second = await world.start();
  assert.equal(second.disks.facts().volumes[0]!.state, 'retired');
  assert.ok(world.shelf.asked.includes(`unmount ${name}`));
  await second.close();
});

test('two disks that are taken into use at once are both there after a restart', async () => {
  const world = new World();
  world.shelf.attach('sda');
  world.shelf.attach('sdb');
  const first = await world.start();
  await Promise.all([first.machine.adopt('sda'), first.machine.adopt('sdb')]);
  const states = (run: typeof first) => run.disks.facts().volumes.map(({ name, state }) => [name, state]);
  const before = states(first);
  assert.equal(before.length, 2);
  await first.close();
  world.stateDisk.crash();
  const second = await world.start();
  assert.deepEqual(states(second), before);
  await second.close();
});

test('a disk that is taken back twice at once is taken once', async () => {
  const { world, name, ...first } = await startWithDisk();
  await first.close();
  world.stateDisk = new MemoryDisk({ entropy: world.entropy });
  const second = await world.start();
  const mount = world.shelf.mount.bind(world.shelf);
  world.shelf.mount = async (...of) => {
    const isMounted = await mount(...of);
    await settle();
    return isMounted;
  };
  const [taken, again] = await Promise.allSettled([second.machine.adopt('sda'), second.machine.adopt('sda')]);
  assert.equal(taken.status, 'fulfilled');
  assert.ok(again.status === 'rejected' && hasCode(again.reason, 'DISK_NOT_BLANK'));
  await second.close();
  const third = await world.start();
  assert.deepEqual(
    third.disks.facts().volumes.map((volume) => [volume.name, volume.state]),
    [[name, 'ok']],
  );
  await third.close();
});

test('a disk whose turn would come when the box has closed is left as it is', async () => {
  const world = new World();
  world.shelf.attach('sda');
  world.shelf.attach('sdb');
  const { machine, close } = await world.start();
  const format = world.shelf.format.bind(world.shelf);
  const formatted = Promise.withResolvers<void>();
  world.shelf.format = async (...of) => {
    await formatted.promise;
    await format(...of);
  };
  const both = Promise.allSettled([machine.adopt('sda'), machine.adopt('sdb')]);
  await close();
  formatted.resolve();
  for (const each of await both) assert.ok(each.status === 'rejected' && hasCode(each.reason, 'BOX_ENDING'));
  assert.deepEqual(world.shelf.asked, ['format sda']);
  assert.deepEqual(world.stateDisk.paths(), []);
});
