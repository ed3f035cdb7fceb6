import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { diskListPeriodMs } from '../base/face-limits.ts';
import { conditionsOf } from '../status/conditions.ts';
import { healthyFacts } from './appliance-facts.ts';
import { startWithDisk, type World } from './box-machine-world.ts';
import { settle } from './fake-clock.ts';

const reason = 'its file system has errors that are not mended by themselves';

type Running = Awaited<ReturnType<World['start']>>;

/** From now on no disk can be mounted that is attached; the function it returns ends that. */
function damageDisks({ shelf }: World): () => void {
  const mount = shelf.mount;
  shelf.mount = async (label) => {
    const disks = await shelf.disks();
    const isAttached = disks.some(({ content }) => content === `ext4 file system "${label}"`);
    if (isAttached) throw new AetherError('DISK_ADOPT_FAILED', reason);
    return false;
  };
  return () => {
    shelf.mount = mount;
  };
}

/** What a person reads of a box with these disks. */
function saidOf({ disks, machine }: Pick<Running, 'disks' | 'machine'>): readonly string[] {
  const facts = { ...healthyFacts, volumes: disks.facts().volumes, disks: machine.facts().disks };
  return conditionsOf(facts).map(({ code, message }) => `${code}: ${message}`);
}

function refusalsOf({ logged }: World): readonly unknown[] {
  return logged
    .filter(({ message }) => message === 'disk cannot be mounted')
    .map(({ fields }) => fields.reason);
}

test('a disk that is attached and cannot be mounted says why, is logged once, and is served when it works', async () => {
  const { world, name, machine, disks, close } = await startWithDisk();
  const volume = world.diskAt(`/box/mounts/${name}`);
  volume.powerOff();
  world.shelf.pull('sda');
  await world.clock.run(0);
  const absent = [`DISKS_GONE: No disk of this box works any more: ${name} is not attached any more.`];
  assert.deepEqual(saidOf({ disks, machine }), absent);

  const mend = damageDisks(world);
  world.shelf.attach('sdb', { content: `ext4 file system "${name}"` });
  await world.clock.run(4 * diskListPeriodMs);
  const { state, error } = disks.facts().volumes[0]!;
  assert.deepEqual([state, error], ['failed', reason]);
  const refused = `No disk of this box works any more: ${name} is attached and cannot be mounted: ${reason}.`;
  assert.deepEqual(saidOf({ disks, machine }), [`DISKS_GONE: ${refused}`]);
  assert.deepEqual(refusalsOf(world), [reason]);

  world.shelf.pull('sdb');
  await world.clock.run(0);
  assert.deepEqual(saidOf({ disks, machine }), absent);
  mend();
  volume.crash();
  world.shelf.attach('sdb', { content: `ext4 file system "${name}"` });
  await world.clock.run(10);
  assert.deepEqual(saidOf({ disks, machine }), []);
  assert.equal(disks.facts().volumes[0]!.error, null);
  await close();
});

test('a start does not wait for a disk that cannot be mounted, and says why from the beginning', async () => {
  const { world, name, ...before } = await startWithDisk();
  await before.close();
  world.diskAt(`/box/mounts/${name}`).powerOff();
  damageDisks(world);
  const box = await world.start({ awaitsDisks: true });
  assert.match(saidOf(box)[0]!, /is attached and cannot be mounted/);
  assert.deepEqual(refusalsOf(world), [reason]);
  await box.close();
});

test('whoever wants a disk taken into use that cannot be mounted hears why', async () => {
  const { world, name, ...before } = await startWithDisk();
  await before.close();
  world.diskAt(`/box/mounts/${name}`).powerOff();
  damageDisks(world);
  const box = await world.start();
  const own = { code: 'DISK_ADOPT_FAILED', message: `disk sda cannot be mounted: ${reason}` };
  await assert.rejects(box.machine.adopt('sda'), own);
  await box.machine.drop(name);
  assert.deepEqual(box.disks.facts().volumes, []);

  const other = {
    code: 'DISK_ADOPT_FAILED',
    message: `disk sda is not taken back: ${reason}`,
    help: /plug it in again/,
  };
  await assert.rejects(box.machine.adopt('sda'), other);
  assert.deepEqual(box.disks.facts().volumes, []);
  await box.close();
});

test('while one disk is being checked, all that the kernel says makes one more look, and none once the box closes', async () => {
  const { world, name, ...box } = await startWithDisk();
  world.diskAt(`/box/mounts/${name}`).powerOff();
  world.shelf.pull('sda');
  await world.clock.run(0);
  const checks: (() => void)[] = [];
  world.shelf.mount = () => new Promise((resolve) => checks.push(() => resolve(false)));
  world.shelf.attach('sdb', { content: `ext4 file system "${name}"` });
  await settle();
  assert.match(saidOf(box)[0]!, /is attached and not mounted yet/);
  for (let notices = 0; notices < 20; notices++) {
    world.shelf.attach('sdc');
    await settle();
  }
  assert.equal(checks.length, 1);
  checks[0]!();
  await settle();
  assert.equal(checks.length, 2);
  world.shelf.attach('sdc');
  await settle();
  const closing = box.close();
  await settle();
  checks[1]!();
  await closing;
  assert.equal(checks.length, 2);
});
