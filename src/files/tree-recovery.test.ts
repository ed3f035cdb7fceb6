import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { FakeClock, settle } from '../testing/fake-clock.ts';
import { directPeers, logFixture, memberId, openTreeBox, type TreeBox } from '../testing/log-fixture.ts';
import { MemoryKeyValueStore } from '../testing/memory-key-value-store.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import type { PutChange } from './tree/change.ts';

function directory(...path: readonly string[]): PutChange {
  return { op: 'put', path, kind: 'directory', mode: 0o755, mtimeMs: 5, size: 0 };
}

async function names({ service }: TreeBox, ...path: readonly string[]): Promise<readonly string[]> {
  return (await service.list(path)).entries.map(({ name }) => name);
}

/** What is in the folders of the root, of which there may be several of one name. */
async function everyName(box: TreeBox): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of await names(box)) found.push(folder, ...(await names(box, folder)));
  return found;
}

function full(): AetherError<string> {
  return new AetherError('DISK_FULL', 'the disk is full');
}

/** No record can be written while `isFull` says so. */
function fillWhile({ fixture }: TreeBox, isFull: () => boolean): void {
  fixture.disk.intercept((operation) => {
    if (operation === 'write' && isFull()) throw full();
  });
}

const ownLog = `log/${'01'.repeat(32)}.log`;

test('a record that is lost while the logs are replayed leaves the tree whole', async () => {
  const clock = new FakeClock();
  const [box, other] = [await openTreeBox(logFixture(1, clock)), await openTreeBox(logFixture(2, clock))];
  const kept = Array.from({ length: 20 }, (_, index) => `k${index}`).sort();
  for (const name of kept) await box.service.commit([directory(name)]);
  await other.service.commit([directory('theirs')]);
  const pulled = await other.logs.read(memberId(2), 0);
  let isFull = true;
  fillWhile(box, () => isFull);
  const fold = box.tree.fold.bind(box.tree);
  const pulls: Promise<unknown>[] = [];
  let folded = 0;
  box.tree.fold = (record) => {
    fold(record);
    if (isFull && ++folded === 3) pulls.push(assert.rejects(box.logs.receive(pulled), { code: 'DISK_FULL' }));
  };
  await assert.rejects(box.service.commit([directory('lost')]), { code: 'DISK_FULL' });
  assert.deepEqual(await names(box), kept);
  assert.equal(pulls.length, 1);
  await pulls[0];
  isFull = false;
  await box.logs.receive(pulled);
  await box.service.commit([directory('last')]);
  assert.deepEqual(await names(box), [...kept, 'last', 'theirs']);
});

test('a log that could not be read for a while is replayed by whoever asks next', async () => {
  const clock = new FakeClock();
  const [box, other] = [await openTreeBox(logFixture(1, clock)), await openTreeBox(logFixture(2, clock))];
  await box.service.commit([directory('kept')]);
  await other.service.commit([directory('theirs')]);
  const pulled = await other.logs.read(memberId(2), 0);
  let isFull = true;
  fillWhile(box, () => isFull);
  box.fixture.disk.corrupt(ownLog, 100);
  await assert.rejects(box.service.commit([directory('lost')]), { code: 'DISK_FULL' });
  await assert.rejects(box.logs.receive(pulled), { code: 'DISK_FULL' });
  await assert.rejects(box.service.stat(['kept']), { code: 'LOG_CORRUPT' });
  isFull = false;
  await box.logs.receive(pulled);
  await assert.rejects(box.service.commit([directory('kept', 'x')]), { code: 'LOG_CORRUPT' });
  box.fixture.disk.corrupt(ownLog, 100);
  await box.service.commit([directory('kept', 'y')]);
  assert.deepEqual(await names(box), ['kept', 'theirs']);
  assert.deepEqual(await names(box, 'kept'), ['y']);
});

test('nothing is folded without room, however often it is tried', async () => {
  const box = await openTreeBox(logFixture(1));
  for (const name of ['a', 'b', 'c']) await box.service.commit([directory(name)]);
  let isFull = true;
  fillWhile(box, () => isFull);
  const room = box.tree.room.bind(box.tree);
  const refused = assert.rejects(box.service.commit([directory('lost')]), { code: 'DISK_FULL' });
  await Promise.resolve();
  box.tree.room = () => (isFull ? Promise.reject(full()) : room());
  await refused;
  for (let count = 0; count < 5; count++) {
    await assert.rejects(box.service.stat(['a']), { code: 'DISK_FULL' });
  }
  assert.equal(box.tree.position(memberId(1)), 0);
  isFull = false;
  assert.deepEqual(await names(box), ['a', 'b', 'c']);
});

test('a commit that waited for room is not planned on a tree that has to be replayed meanwhile', async () => {
  const clock = new FakeClock();
  const [box, other] = [await openTreeBox(logFixture(1, clock)), await openTreeBox(logFixture(2, clock))];
  await box.service.commit([directory('photos')]);
  await other.service.commit([directory('theirs')]);
  const pulled = await other.logs.read(memberId(2), 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const room = box.tree.room.bind(box.tree);
  let waited = 0;
  box.tree.room = () => (waited++ === 0 ? promise : room());
  const committed = box.service.commit([directory('photos', 'a')]);
  let isFull = true;
  fillWhile(box, () => isFull);
  box.logs.onFailure(() => {
    isFull = false;
    resolve();
  });
  await assert.rejects(box.logs.receive(pulled), { code: 'DISK_FULL' });
  await committed;
  assert.deepEqual(await names(box), ['photos']);
  assert.deepEqual(await names(box, 'photos'), ['a']);
});

test('boxes whose disks are full now and then end with one tree, and it has what was acknowledged', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const clock = new FakeClock();
    const entropy = new SeededEntropy(seed);
    const boxes: TreeBox[] = [];
    const acknowledged = new Set<string>();
    let faulty = true;
    const slowly = async () => {
      for (let turns = entropy.below(4); turns > 0; turns--) await settle();
    };
    for (const index of [1, 2, 3]) {
      const fixture = logFixture(index, clock, 10 * seed + index);
      const store = new MemoryKeyValueStore({ entropy: fixture.entropy, commit: slowly });
      const box = await openTreeBox(fixture, store, directPeers(memberId(index), boxes));
      fillWhile(box, () => faulty && entropy.chance(0.3));
      store.intercept(() => {
        if (faulty && entropy.chance(0.3)) throw full();
      });
      box.shipping.start();
      boxes.push(box);
    }
    const put = (box: TreeBox, name: string) =>
      box.service.commit([directory('shared', name)]).then(
        () => acknowledged.add(name),
        (error: { code?: string }) =>
          assert.match(error.code ?? '', /^(DISK_FULL|LOG_GAP)$/, `seed ${seed}: ${error}`),
      );
    const started: Promise<unknown>[] = [];
    for (let step = 0; step < 60; step++) {
      const box = boxes[entropy.below(3)]!;
      const what = entropy.below(4);
      if (what === 0) started.push(box.shipping.pullAll());
      else if (what === 1) started.push(box.tree.flush().catch(() => {}));
      else started.push(put(box, `n${step}`));
      if (entropy.chance(0.5)) await slowly();
    }
    await clock.runUntil(Promise.all(started));
    faulty = false;
    for (const { shipping } of boxes) shipping.stop();
    for (let round = 0; round < 2; round++) for (const box of boxes) await box.shipping.pullAll();
    const [one, two, three] = await Promise.all(boxes.map(everyName));
    assert.deepEqual(two, one, `seed ${seed}`);
    assert.deepEqual(three, one, `seed ${seed}`);
    for (const name of acknowledged) assert.ok(one!.includes(name), `seed ${seed}: ${name}`);
    await boxes[0]!.service.close();
    boxes[0]!.store.erase();
    const replayed = await openTreeBox(boxes[0]!.fixture, boxes[0]!.store);
    assert.deepEqual(await everyName(replayed), one, `seed ${seed}`);
  }
});
