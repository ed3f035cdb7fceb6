import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoxDisks } from '../box-disks.ts';
import { KnownVolumes } from '../store/known-volumes.ts';
import { settle } from './fake-clock.ts';
import { fakeCompute } from './fake-compute.ts';
import { Hang, HangingDisk } from './hanging-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import { StoreFixture } from './store-fixture.ts';

/** Disks of a box, and its state disk, which hangs when it is told to. */
class World {
  readonly fixture: StoreFixture;
  readonly state: MemoryDisk;
  readonly hang = new Hang();

  constructor(seed: number, volumeCount: number) {
    this.fixture = new StoreFixture(seed, volumeCount);
    this.state = new MemoryDisk({ entropy: this.fixture.entropy });
  }

  open(): Promise<BoxDisks> {
    const { clock, entropy, log, volumes } = this.fixture;
    return BoxDisks.open(
      { volumes: volumes.map(({ options }) => options) },
      new HangingDisk(this.state, this.hang),
      { clock, entropy, log, compute: fakeCompute },
    );
  }

  /** As the next start finds it. */
  async known(name: string) {
    return (await KnownVolumes.open(this.state, { log: this.fixture.log })).get(name);
  }
}

test('a disk that was emptied while another was noted stays emptied after a restart', async () => {
  const world = new World(71, 2);
  const [first] = world.fixture.volumes;
  first!.disk.fail('DISK_NOT_FOUND');
  const disks = await world.open();
  first!.disk.fail(undefined);
  world.hang.hang();
  await disks.store.reopen('disk1');
  const retired = disks.retire('disk2', undefined);
  for (let turn = 0; turn < 5; turn++) await settle();
  assert.equal(disks.facts().volumes[1]!.state, 'retired');
  world.hang.answer();
  await retired;
  for (let turn = 0; turn < 5; turn++) await settle();
  assert.equal((await world.known('disk1'))?.retired, false);
  assert.equal((await world.known('disk2'))?.retired, true);
  await disks.store.close();
});

test('a disk that is served cannot be forgotten, and is known after a restart', async () => {
  const world = new World(72, 1);
  const disks = await world.open();
  await assert.rejects(disks.forget('disk1'), { code: 'VOLUME_UNKNOWN' });
  assert.notEqual(await world.known('disk1'), undefined);
  await disks.store.close();
});

test('a missing disk that is forgotten is not known any more, and what is in its place is', async () => {
  const world = new World(73, 1);
  const disks = await world.open();
  const before = await world.known('disk1');
  const [volume] = world.fixture.volumes;
  volume!.disk.powerOff();
  disks.store.pulled('disk1');
  await disks.forget('disk1');
  assert.equal(await world.known('disk1'), undefined);
  volume!.disk.crash();
  await volume!.disk.remove('volume.cbor');
  await disks.store.reopen('disk1');
  await settle();
  assert.equal(disks.facts().volumes[0]!.state, 'ok');
  assert.notDeepEqual((await world.known('disk1'))?.id, before?.id);
  await disks.store.close();
});

test('a disk of which it cannot be noted that it is forgotten is still missed', async () => {
  const world = new World(74, 1);
  const disks = await world.open();
  const { id } = disks.store.status().volumes[0]!;
  world.fixture.volumes[0]!.disk.powerOff();
  disks.store.pulled('disk1');
  world.state.fail('DISK_FULL');
  await assert.rejects(disks.forget('disk1'), { code: 'DISK_FULL' });
  world.state.fail(undefined);
  assert.deepEqual(disks.store.status().volumes[0]!.id, id);
  assert.deepEqual((await world.known('disk1'))?.id, id);
  await disks.store.close();
});
