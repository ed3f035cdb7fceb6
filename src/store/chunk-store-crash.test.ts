import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../base/bytes.ts';
import { settle } from '../testing/fake-clock.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import type { ChunkStore } from './chunk-store.ts';

/** Small, so that a short run begins several segments. */
const segmentBytes = 8 * 1024;

/** Writes rounds of chunks, reads some, commits the index now and then; notes what was acknowledged. */
async function work(
  fixture: StoreFixture,
  store: ChunkStore,
  acknowledged: Map<string, Chunk>,
): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const chunks = fixture.chunks(1 + fixture.entropy.below(6));
    const puts = chunks.map(async (chunk) => {
      // Some turns apart, so that one group is written while another is synced.
      for (let turns = fixture.entropy.below(12); turns > 0; turns--) await Promise.resolve();
      await store.put(chunk.id, chunk.body);
      acknowledged.set(toHex(chunk.id), chunk);
    });
    const outcomes = await Promise.allSettled(puts);
    if (outcomes.some(({ status }) => status === 'rejected')) return;
    if (fixture.entropy.chance(0.5)) await fixture.clock.run(2000);
  }
  await store.close();
}

async function check(
  store: ChunkStore,
  acknowledged: ReadonlyMap<string, Chunk>,
  when: string,
): Promise<void> {
  for (const [name, { id, body }] of acknowledged) {
    assert.ok(store.has(id), `${when}: ${name} was acknowledged`);
    assert.deepEqual(await store.get(id), body, when);
  }
}

/** Counts what changes the disks; cuts the power before the one with the number `point`. */
function cutPowerAt(fixture: StoreFixture, point: number): { readonly count: () => number } {
  let count = 0;
  const step = () => {
    if (count++ === point) for (const volume of fixture.volumes) volume.powerOff();
  };
  for (const { disk, index } of fixture.volumes) {
    disk.intercept(step);
    index.intercept(step);
  }
  return { count: () => count };
}

for (const volumeCount of [1, 2]) {
  test(`power cut before any write, sync or rename loses nothing acknowledged (${volumeCount} disks)`, async () => {
    for (const seed of [1, 2]) {
      for (let point = 0; ; point++) {
        const fixture = new StoreFixture(seed, volumeCount, { segmentBytes });
        const acknowledged = new Map<string, Chunk>();
        const power = cutPowerAt(fixture, point);
        const when = `seed ${seed}, power cut at step ${point}`;
        await work(fixture, await fixture.open(), acknowledged);
        await settle();
        const done = power.count() <= point;
        fixture.crash();

        // The next start is cut as well, somewhere in its recovery.
        cutPowerAt(fixture, fixture.entropy.below(6));
        await fixture.open();
        fixture.crash();

        const store = await fixture.open();
        assert.ok(
          store.status().volumes.every(({ state }) => state === 'ok'),
          when,
        );
        await check(store, acknowledged, when);
        // The log goes on where it was cut.
        const more = fixture.chunks(5);
        await Promise.all(more.map(({ id, body }) => store.put(id, body)));
        for (const chunk of more) acknowledged.set(toHex(chunk.id), chunk);
        fixture.crash();
        const again = await fixture.open();
        await check(again, acknowledged, `${when}, after writing on`);
        await again.close();
        if (done) break;
      }
    }
  });
}

test('what a restarted program finds in the log is durable, though the killed one had not synced it', async () => {
  let found = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const fixture = new StoreFixture(seed, 1, { segmentBytes });
    const { disk, index } = fixture.volumes[0]!;
    const killed = await fixture.open();
    if (seed % 2 === 0) {
      const first = fixture.chunk(500);
      await killed.put(first.id, first.body);
    }
    disk.intercept((operation) => {
      if (operation === 'sync') fixture.volumes[0]!.powerOff();
    });
    const chunk = fixture.chunk(700);
    await assert.rejects(killed.put(chunk.id, chunk.body), { code: 'STORE_NO_VOLUME' });
    // The program is gone, the operating system is not: it still has the bytes.
    disk.fail(undefined);
    disk.intercept(() => {});
    index.fail(undefined);
    const restarted = await fixture.open();
    assert.ok(restarted.has(chunk.id));
    fixture.crash();
    const store = await fixture.open();
    assert.ok(store.has(chunk.id), `seed ${seed}`);
    assert.deepEqual(await store.get(chunk.id), chunk.body);
    found++;
  }
  assert.equal(found, 30);
});
