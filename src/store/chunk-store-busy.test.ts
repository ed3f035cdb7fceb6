import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { indexCommitDelayMs } from '../base/limits.ts';
import type { Disk, DiskFile, DiskOpenMode } from '../ports/disk.ts';
import { settle } from '../testing/fake-clock.ts';
import { Hang, HangingDisk } from '../testing/hanging-disk.ts';
import { MemoryKeyValueStore } from '../testing/memory-key-value-store.ts';
import { StoreFixture } from '../testing/store-fixture.ts';

/** Hangs for those who write only. */
class WritesHangingDisk extends HangingDisk {
  readonly #readers: Disk;

  constructor(disk: Disk, hang: Hang) {
    super(disk, hang);
    this.#readers = disk;
  }

  override open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    return mode === 'read' ? this.#readers.open(path, mode) : super.open(path, mode);
  }
}

/** A store on one disk, and what makes it hang. */
async function openHanging(seed: number, hangs: new (disk: Disk, hang: Hang) => Disk = HangingDisk) {
  const fixture = new StoreFixture(seed);
  const [volume] = fixture.volumes;
  const hang = new Hang();
  const options = { ...volume!.options, disk: new hangs(volume!.disk, hang) };
  return { fixture, volume: volume!, hang, store: await fixture.openVolumes([options]) };
}

/** What `answer` resolves with before anything else happens, if it does. */
function toldSoon<T>(answer: Promise<T>): Promise<T | undefined> {
  return Promise.race([answer, settle().then(() => undefined)]);
}

function pool(byte: number): Bytes {
  return new Uint8Array(16).fill(byte);
}

test('a put of which one chunk is refused ends only when nothing of it is being written any more', async () => {
  const { fixture, volume, hang, store } = await openHanging(61);
  const [before, shared, own] = [fixture.chunk(100), fixture.chunk(200), fixture.chunk(300)];
  await store.put(before.id, before.body);
  let refusals = 1;
  volume.disk.intercept((operation) => {
    if (operation === 'write' && refusals-- > 0) throw new AetherError('DISK_FULL', 'full');
    // The refused write has been cut off, and the next one hangs.
    if (operation === 'truncate') hang.hang();
  });
  hang.hang();
  const first = assert.rejects(store.put(shared.id, shared.body), { code: 'STORE_FULL' });
  await settle();
  let isRefused = false;
  const second = store.putMany([shared, own]);
  second.catch(() => {
    isRefused = true;
  });
  await settle();
  hang.answer();
  await first;
  await settle();
  assert.equal(hang.waiting, 1, 'the second one’s own chunk is being written');
  assert.equal(isRefused, false);
  hang.answer();
  await assert.rejects(second, { code: 'STORE_FULL' });
  assert.equal(store.has(own.id), true);
  await store.close();
});

test('whether a disk reads well is told while chunks are being written to it', async () => {
  for (const isCommitted of [true, false]) {
    const { fixture, volume, hang, store } = await openHanging(62, WritesHangingDisk);
    const [held, late] = [fixture.chunk(100), fixture.chunk(100)];
    await store.put(held.id, held.body);
    if (isCommitted) await fixture.clock.run(indexCommitDelayMs);
    hang.hang();
    const put = store.put(late.id, late.body);
    await settle();
    assert.deepEqual(await toldSoon(store.unreadable()), []);
    volume.disk.corrupt('segments/00000001.seg', 32 + 56);
    assert.deepEqual(await toldSoon(store.unreadable()), [volume.name]);
    hang.answer();
    await put;
    await store.close();
  }
});

test('a disk that is being opened while the box is claimed becomes the pool’s', async () => {
  const fixture = new StoreFixture(63);
  const [volume] = fixture.volumes;
  const hang = new Hang();
  const store = await fixture.openVolumes([]);
  hang.hang();
  const attached = store.attach({ ...volume!.options, disk: new HangingDisk(volume!.disk, hang) });
  await settle();
  const entered = store.enterPool(pool(1));
  await settle();
  hang.answer();
  await Promise.all([attached, entered]);
  assert.equal(store.status().volumes[0]!.state, 'ok');
  await store.close();
  const elsewhere = await fixture.open(pool(2));
  assert.equal(elsewhere.status().volumes[0]!.error?.code, 'VOLUME_FOREIGN');
  await elsewhere.close();
});

test('a disk that cannot be closed well does not end the wait for the others', async () => {
  const fixture = new StoreFixture(64, 2);
  const [first, second] = fixture.volumes;
  const hang = new Hang();
  first!.index.close = () => Promise.reject(new AetherError('DISK_IO', 'the index cannot be closed'));
  second!.index = new MemoryKeyValueStore({ commit: () => hang.turn() });
  const store = await fixture.open();
  for (const { id, body } of fixture.chunks(2)) await store.put(id, body);
  hang.hang();
  let hasEnded = false;
  const closing = store.close().finally(() => {
    hasEnded = true;
  });
  closing.catch(() => {});
  await settle();
  assert.equal(hang.waiting, 1, 'the index of the second one is being committed');
  assert.equal(hasEnded, false);
  hang.answer();
  await assert.rejects(closing, { code: 'DISK_IO' });
  assert.equal(second!.disk.openFiles, 0);
});
