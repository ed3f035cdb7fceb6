import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskCallsMax } from '../base/limits.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryKeyValueStore } from '../testing/memory-key-value-store.ts';
import { AnswerGate } from './answer-gate.ts';
import { ChunkIndex, type Location } from './chunk-index.ts';
import { openGatedStore } from './gated-disk.ts';

const location: Location = { segment: 1, offset: 64, bodyBytes: 100 };

/** An index on a disk that is busy until `answer` is called. */
async function busyIndex() {
  const gate = new AnswerGate(new FakeClock());
  const store = await openGatedStore(async () => new MemoryKeyValueStore(), gate);
  const { index } = await ChunkIndex.open(store, new Uint8Array(16));
  const { promise, resolve: answer } = Promise.withResolvers<void>();
  for (let call = 0; call < diskCallsMax; call++) void gate.call(() => promise);
  return { index, answer };
}

function idOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number);
}

test('a chunk is found, and a damaged one is not, while their commit waits for a busy disk', async () => {
  const { index, answer } = await busyIndex();
  index.add(idOf(1), location);
  index.quarantine(idOf(2), location);
  let committed = false;
  const commit = index.commit(1, 200, 200).then(() => {
    committed = true;
  });
  await new Promise(setImmediate);
  assert.equal(committed, false);
  assert.deepEqual(index.get(idOf(1)), location);
  index.quarantine(idOf(2), location);
  assert.equal(index.corruptCount, 1, 'a damaged record counts once');
  answer();
  await commit;
  assert.deepEqual(index.get(idOf(1)), location);
  assert.equal(index.get(idOf(2)), undefined);
});

test('what changes while a commit waits goes before what it writes, and is in the next one', async () => {
  const { index, answer } = await busyIndex();
  index.add(idOf(1), location);
  index.add(idOf(2), location);
  const commit = index.commit(1, 200, 200);
  const later = { ...location, segment: 2 };
  index.add(idOf(1), later);
  index.remove(idOf(2));
  assert.equal(index.chunkCount, 1);
  answer();
  await commit;
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(index.get(idOf(1)), later);
    assert.equal(index.get(idOf(2)), undefined);
    if (index.freshCount > 0) await index.commit(2, 200, 400);
  }
});

test('each chunk is listed once, committed or not, also when it is committed between two pages', async () => {
  const { index, answer } = await busyIndex();
  for (let number = 1; number <= 3; number++) index.add(idOf(number), location);
  const first = index.commit(1, 200, 200);
  const listed = (pages: Iterable<readonly Uint8Array[]>) =>
    [...pages].flatMap((page) => page.map(([number]) => number!)).sort();
  index.add(idOf(4), location);
  index.quarantine(idOf(5), location);
  assert.deepEqual(listed(index.idPages(2)), [1, 2, 3, 4]);
  answer();
  await first;
  assert.deepEqual(listed(index.idPages(2)), [1, 2, 3, 4]);

  const pages = index.idPages(2);
  const [page] = [...(pages.next().value ?? [])];
  assert.deepEqual(page, idOf(1));
  await index.commit(2, 200, 400);
  assert.deepEqual(listed(pages), [3, 4]);
});
