import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../base/bytes.ts';
import { logFixture, memberId } from '../../testing/log-fixture.ts';
import { rootNode } from '../node-id.ts';
import { LogStore, type OpenedRecord } from './log-store.ts';
import type { Operation } from './operations.ts';

function place(store: LogStore, name: string): readonly Operation[] {
  return [{ op: 'place', clock: store.tick(), node: new Uint8Array(16).fill(3), parent: rootNode, name }];
}

async function written(
  index: number,
  names: readonly string[],
): Promise<{ store: LogStore; bodies: readonly Bytes[] }> {
  const store = await LogStore.open(logFixture(index));
  await Promise.all(names.map((name) => store.append(place(store, name)).durable));
  return { store, bodies: await store.read(memberId(index), 0) };
}

async function namesIn(store: LogStore, author: Bytes): Promise<string[]> {
  const names: string[] = [];
  for await (const { operations } of store.replay(author, 0)) {
    for (const operation of operations) if (operation.op === 'place') names.push(operation.name);
  }
  return names;
}

test('records come back in order after a restart, and the clock goes on after them', async () => {
  const fixture = logFixture(1);
  const store = await LogStore.open(fixture);
  for (const name of ['a', 'b', 'c']) await store.append(place(store, name)).durable;
  const last = store.tick();
  await store.close();
  const again = await LogStore.open(fixture);
  assert.deepEqual(await namesIn(again, memberId(1)), ['a', 'b', 'c']);
  assert.ok(again.tick().counter >= last.counter);
});

test("another box's records are taken in order; repeated ones are skipped, a gap is refused", async () => {
  const { bodies } = await written(2, ['a', 'b', 'c']);
  const store = await LogStore.open(logFixture(1));
  const heard: OpenedRecord[] = [];
  store.onRecord((record) => heard.push(record));
  const gap = await store.receive([bodies[1]!]);
  assert.deepEqual(
    gap.refused.map(({ code }) => code),
    ['LOG_GAP'],
  );
  assert.deepEqual((await store.receive(bodies.slice(0, 2))).refused, []);
  assert.deepEqual((await store.receive(bodies)).refused, []);
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [0, 1, 2],
  );
  assert.deepEqual(await namesIn(store, memberId(2)), ['a', 'b', 'c']);
});

test('two deliveries of the same records at once take each record once', async () => {
  const { bodies } = await written(2, ['a', 'b', 'c']);
  const store = await LogStore.open(logFixture(1));
  const both = await Promise.all([store.receive(bodies), store.receive(bodies)]);
  assert.deepEqual(
    both.map(({ refused }) => refused),
    [[], []],
  );
  assert.deepEqual(await namesIn(store, memberId(2)), ['a', 'b', 'c']);
});

test('a stranger, a changed record, a fork and a box from the future are refused', async () => {
  const store = await LogStore.open(logFixture(1));
  const refusal = async (bodies: readonly Bytes[]) => (await store.receive(bodies)).refused[0]?.code;
  assert.equal(await refusal((await written(10, ['a'])).bodies), 'LOG_AUTHOR_UNKNOWN');

  const { bodies } = await written(2, ['a', 'b']);
  const changed = new Uint8Array(bodies[0]!);
  changed[changed.length - 1]! ^= 1;
  assert.equal(await refusal([changed]), 'LOG_SIGNATURE_INVALID');
  assert.equal(await refusal([bodies[0]!]), undefined);
  assert.equal(await refusal([(await written(2, ['x', 'y'])).bodies[1]!]), 'LOG_FORKED');

  const ahead = logFixture(3);
  await ahead.clock.run(2 * 3_600_000);
  const future = await LogStore.open(ahead);
  await future.append(place(future, 'z')).durable;
  assert.equal(await refusal(await future.read(memberId(3), 0)), 'CLOCK_SKEW');
});

test('when an append fails, the chain goes on from what is durable, and listeners hear of it', async () => {
  const fixture = logFixture(1);
  const store = await LogStore.open(fixture);
  await store.append(place(store, 'a')).durable;
  let failures = 0;
  store.onFailure(() => failures++);
  fixture.disk.fillUp();
  const lost = ['b', 'c'].map((name) => store.append(place(store, name)).durable);
  for (const durable of lost) await assert.rejects(durable, { code: 'DISK_FULL' });
  assert.equal(failures, 1);
  fixture.disk.resize(2 ** 30);
  await store.append(place(store, 'd')).durable;
  const other = await LogStore.open(logFixture(2));
  assert.deepEqual((await other.receive(await store.read(memberId(1), 0))).refused, []);
  assert.deepEqual(await namesIn(other, memberId(1)), ['a', 'd']);
});

test('a box whose own log lost durable records appends none before they are back', async () => {
  const fixture = logFixture(1);
  const store = await LogStore.open(fixture);
  for (const name of ['a', 'b', 'c', 'd']) await store.append(place(store, name)).durable;
  const copies = await store.read(memberId(1), 0);
  await store.close();
  const [path] = fixture.disk.paths();
  fixture.disk.corrupt(path!, copies[0]!.length + 60);
  const damaged = await LogStore.open(fixture);
  assert.deepEqual(await namesIn(damaged, memberId(1)), ['a']);
  assert.throws(() => damaged.append(place(damaged, 'x')), { code: 'LOG_CORRUPT' });
  await damaged.close();
  const still = await LogStore.open(fixture);
  assert.throws(() => still.append(place(still, 'x')), { code: 'LOG_CORRUPT' });
  assert.deepEqual((await still.receive(copies)).refused, []);
  await still.append(place(still, 'x')).durable;
  assert.deepEqual(await namesIn(still, memberId(1)), ['a', 'b', 'c', 'd', 'x']);
});

test('a crash at any step loses no acknowledged record', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const fixture = logFixture(1, undefined, seed);
    const acknowledged: string[] = [];
    let steps = seed % 17;
    fixture.disk.intercept(() => {
      if (steps-- <= 0) fixture.disk.powerOff();
    });
    try {
      const store = await LogStore.open(fixture);
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        await store.append(place(store, name)).durable;
        acknowledged.push(name);
      }
    } catch (error) {
      assert.match((error as { code: string }).code, /^(DISK_GONE|LOG_FAILED)$/);
    }
    fixture.disk.crash();
    const again = await LogStore.open(fixture);
    const kept = await namesIn(again, memberId(1));
    assert.deepEqual(kept.slice(0, acknowledged.length), acknowledged, `seed ${seed}`);
    await again.append(place(again, 'after')).durable;
  }
});

test('a record that another box is just bringing is durable when it is taken for received', async () => {
  const { bodies } = await written(1, ['a', 'b']);
  const store = await LogStore.open(logFixture(2));
  await store.receive(bodies.slice(0, 1));
  const first = store.receive(bodies);
  await store.receive(bodies);
  assert.equal([...store.vector().values()][0], 2);
  await first;
});

test('a box that refuses records for their clocks takes no commits until it has taken them', async () => {
  const ahead = logFixture(2);
  await ahead.clock.run(2 * 3_600_000);
  const future = await LogStore.open(ahead);
  await future.append(place(future, 'later')).durable;
  const bodies = await future.read(memberId(2), 0);
  const fixture = logFixture(1);
  const store = await LogStore.open(fixture);
  await store.append(place(store, 'a')).durable;
  assert.equal(store.clockSkewed, false);
  assert.equal((await store.receive(bodies)).refused[0]?.code, 'CLOCK_SKEW');
  assert.equal(store.clockSkewed, true);
  assert.throws(() => store.append(place(store, 'loses')), { code: 'CLOCK_SKEW' });
  await fixture.clock.run(2 * 3_600_000);
  assert.deepEqual((await store.receive(bodies)).refused, []);
  assert.equal(store.clockSkewed, false);
  await store.append(place(store, 'b')).durable;
  assert.deepEqual(await namesIn(store, memberId(1)), ['a', 'b']);
});

test('one box of several whose clock runs ahead does not stop the others', async () => {
  const ahead = logFixture(2);
  await ahead.clock.run(2 * 3_600_000);
  const future = await LogStore.open(ahead);
  await future.append(place(future, 'later')).durable;
  const store = await LogStore.open(logFixture(1));
  await store.receive((await written(3, ['right'])).bodies);
  assert.equal((await store.receive(await future.read(memberId(2), 0))).refused[0]?.code, 'CLOCK_SKEW');
  await store.append(place(store, 'goes on')).durable;
});
