import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { type Bytes, concat, toHex } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { settle } from '../testing/fake-clock.ts';
import type { MemoryDisk } from '../testing/memory-disk.ts';
import { type Chunk, StoreFixture } from '../testing/store-fixture.ts';
import type { ChunkStore } from './chunk-store.ts';
import { encodeRecordHeader, recordBytes, recordHeaderBytes } from './record.ts';
import { chunkIdOf } from './seal.ts';
import { encodeSegmentHeader } from './segment.ts';

const firstSegment = 'segments/00000001.seg';

async function written(fixture: StoreFixture, chunks: readonly Chunk[]): Promise<void> {
  const store = await fixture.open();
  for (const { id, body } of chunks) await store.put(id, body);
  await store.close();
}

async function replace(disk: MemoryDisk, path: string, bytes: Bytes): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.truncate(0);
  await file.write([bytes], 0);
  await file.sync();
  await file.close();
}

async function readable(store: ChunkStore, chunks: readonly Chunk[]): Promise<void> {
  for (const { id, body } of chunks) assert.deepEqual(await store.get(id), body);
}

/** A record as the writer writes it. */
function record(kind: number, id: Bytes, body: Bytes, segment: number): Bytes {
  const bytes = new Uint8Array(recordBytes(body.length));
  encodeRecordHeader({ kind, bodyBytes: body.length, bodyCrc: crc32(body), id }, segment, bytes, 0);
  bytes.set(body, recordHeaderBytes);
  return bytes;
}

test('an index that was deleted is made again from the segments', async () => {
  const fixture = new StoreFixture(1, 1, { segmentBytes: 8 * 1024 });
  const chunks = fixture.chunks(30);
  await written(fixture, chunks);
  const { disk, index } = fixture.volumes[0]!;
  assert.ok((await disk.list('segments')).length > 3);
  index.erase();
  const store = await fixture.open();
  await readable(store, chunks);
  assert.equal(store.status().volumes[0]!.chunkCount, 30);
});

test('an index that knows of more than the segments hold is made again', async () => {
  const fixture = new StoreFixture(2);
  const chunks = fixture.chunks(10);
  await written(fixture, chunks);
  const { disk } = fixture.volumes[0]!;
  const whole = disk.contents(firstSegment);
  await replace(disk, firstSegment, whole.subarray(0, whole.length - 8));
  const store = await fixture.open();
  assert.equal(store.has(chunks[9]!.id), false);
  assert.equal(store.status().volumes[0]!.chunkCount, 9);
  await readable(store, chunks.slice(0, 9));
});

test('an index of another volume is not believed', async () => {
  const fixture = new StoreFixture(3);
  const other = new StoreFixture(4);
  await written(fixture, fixture.chunks(3));
  const chunks = other.chunks(3);
  await written(other, chunks);
  other.volumes[0]!.index = fixture.volumes[0]!.index;
  const store = await other.open();
  await readable(store, chunks);
  assert.equal(store.status().volumes[0]!.chunkCount, 3);
});

test('only what is past the index’s position is scanned', async () => {
  const fixture = new StoreFixture(5);
  const chunks = fixture.chunks(10, 3000);
  await written(fixture, chunks);
  // Damage that a scan of the whole segment would find.
  fixture.volumes[0]!.disk.corrupt(firstSegment, 100);
  const store = await fixture.open();
  assert.equal(store.status().volumes[0]!.corruptRecords, 0);
});

test('damage in the middle costs one record, is counted once, and what follows stays', async () => {
  const fixture = new StoreFixture(6);
  const chunks = Array.from({ length: 6 }, () => fixture.chunk(1000));
  await written(fixture, chunks);
  const { disk, index } = fixture.volumes[0]!;
  const start = 32 + 2 * recordBytes(1000);
  const cases = { magic: 0, length: 10, id: 20, segment: 50, headerCrc: 53, body: 56, bodyEnd: 1055 };
  for (const [what, offset] of Object.entries(cases)) {
    index.erase();
    disk.corrupt(firstSegment, start + offset);
    for (const reopened of [false, true]) {
      const store = await fixture.open();
      const held = chunks.map(({ id }) => store.has(id));
      assert.deepEqual(held, [true, true, false, true, true, true], what);
      assert.equal(store.status().volumes[0]!.corruptRecords, 1, `${what}, reopened ${reopened}`);
      await readable(store, chunks.toSpliced(2, 1));
      await store.close();
    }
    assert.ok(fixture.entries.some(({ fields }) => fields.code === 'SEGMENT_RECORD_CORRUPT'));
    disk.corrupt(firstSegment, start + offset);
  }
});

test('a torn tail is cut to its last good record and written over', async () => {
  const fixture = new StoreFixture(7);
  const chunks = Array.from({ length: 4 }, () => fixture.chunk(1000));
  await written(fixture, chunks);
  const { disk, index } = fixture.volumes[0]!;
  const whole = disk.contents(firstSegment);
  const lastStart = whole.length - recordBytes(1000);
  for (const torn of [
    whole.subarray(0, lastStart + 1),
    whole.subarray(0, lastStart + 60),
    whole.subarray(0, whole.length - 1),
    concat([whole.subarray(0, lastStart), new Uint8Array(5000)]),
    concat([whole.subarray(0, lastStart + 512), new Uint8Array(4000)]),
  ]) {
    index.erase();
    await replace(disk, firstSegment, torn);
    const store = await fixture.open();
    assert.equal(disk.contents(firstSegment).length, lastStart);
    assert.equal(store.status().volumes[0]!.corruptRecords, 0);
    assert.equal(store.has(chunks[3]!.id), false);
    await readable(store, chunks.slice(0, 3));
    await store.put(chunks[3]!.id, chunks[3]!.body);
    await store.close();
    assert.deepEqual(disk.contents(firstSegment), whole);
  }
});

test('an empty, short or headerless last segment is removed and made again', async () => {
  for (const left of [0, 10, 31, 5000]) {
    const fixture = new StoreFixture(8, 1, { segmentBytes: 4096 });
    const chunks = Array.from({ length: 4 }, () => fixture.chunk(1500));
    await written(fixture, chunks);
    const { disk } = fixture.volumes[0]!;
    const next = 'segments/00000003.seg';
    assert.equal(disk.paths().at(-2), 'segments/00000002.seg');
    await replace(disk, next, new Uint8Array(left));
    const store = await fixture.open();
    assert.ok(!disk.paths().includes(next));
    const more = fixture.chunk(3000);
    await store.put(more.id, more.body);
    assert.ok(disk.paths().includes(next));
    await readable(store, [...chunks, more]);
    assert.equal(store.status().volumes[0]!.corruptRecords, 0);
  }
});

test('a segment whose header is damaged keeps its records and gets no more', async () => {
  const fixture = new StoreFixture(9);
  const chunks = fixture.chunks(5);
  await written(fixture, chunks);
  const { disk, index } = fixture.volumes[0]!;
  disk.corrupt(firstSegment, 9);
  index.erase();
  const store = await fixture.open();
  await readable(store, chunks);
  assert.equal(store.status().volumes[0]!.corruptRecords, 1);
  const more = fixture.chunk(100);
  await store.put(more.id, more.body);
  await store.close();
  assert.ok(disk.paths().includes('segments/00000002.seg'));
  const again = await fixture.open();
  await readable(again, [...chunks, more]);
  assert.equal(again.status().volumes[0]!.corruptRecords, 1);
});

test('a segment of another volume, or under another number, is left alone', async () => {
  const fixture = new StoreFixture(10);
  const chunks = fixture.chunks(3);
  await written(fixture, chunks);
  const { disk, index } = fixture.volumes[0]!;
  const stale = fixture.chunk(100);
  const foreign = concat([encodeSegmentHeader(new Uint8Array(16), 2), record(1, stale.id, stale.body, 2)]);
  await replace(disk, 'segments/00000002.seg', foreign);
  await replace(disk, 'segments/00000003.seg', disk.contents(firstSegment));
  index.erase();
  const store = await fixture.open();
  assert.equal(store.has(stale.id), false);
  await readable(store, chunks);
  assert.equal(store.status().volumes[0]!.corruptRecords, 2);
  await store.put(stale.id, stale.body);
  assert.deepEqual(disk.contents('segments/00000002.seg'), foreign);
  assert.ok(disk.paths().includes('segments/00000004.seg'));
});

test('a block that another segment once held is no record', async () => {
  const fixture = new StoreFixture(11);
  await written(fixture, fixture.chunks(3));
  const { disk } = fixture.volumes[0]!;
  const stale = fixture.chunk(100);
  const before = disk.contents(firstSegment);
  await replace(disk, firstSegment, concat([before, record(1, stale.id, stale.body, 9)]));
  const store = await fixture.open();
  assert.equal(store.has(stale.id), false);
  assert.deepEqual(disk.contents(firstSegment), before);
});

test('what looks like a record inside a body is believed only when its id proves it', async () => {
  const fixture = new StoreFixture(12);
  const victim = fixture.chunk(50);
  const forged = record(1, victim.id, fixture.chunk(50).body, 1);
  const body = concat([new Uint8Array(8), forged, new Uint8Array(100)]);
  const carrier = { id: chunkIdOf(body), body };
  const last = fixture.chunk(10);
  await written(fixture, [carrier, last]);
  const { disk, index } = fixture.volumes[0]!;
  // With its own header damaged, the scan looks for the next one inside the carrier's body.
  disk.corrupt(firstSegment, 33);
  index.erase();
  const store = await fixture.open();
  assert.equal(store.has(victim.id), false);
  await readable(store, [last]);
});

test('a deleted chunk is not held after a scan', async () => {
  const fixture = new StoreFixture(13);
  const chunks = fixture.chunks(3);
  await written(fixture, chunks);
  const { disk } = fixture.volumes[0]!;
  const gone = chunks[1]!.id;
  const deletion = record(2, gone, new Uint8Array(0), 1);
  await replace(disk, firstSegment, concat([disk.contents(firstSegment), deletion]));
  const store = await fixture.open();
  assert.deepEqual(
    chunks.map(({ id }) => store.has(id)),
    [true, false, true],
  );
  assert.equal(store.status().volumes[0]!.chunkCount, 2);
});

test('versions and kinds that are not known are refused, and nothing is changed', async () => {
  const changes: Record<string, (fixture: StoreFixture) => Promise<void>> = {
    label: (fixture) =>
      replace(fixture.volumes[0]!.disk, 'volume.cbor', encodeCbor({ v: 2, volume: new Uint8Array(16) })),
    segment: async (fixture) => {
      const { disk } = fixture.volumes[0]!;
      const whole = disk.contents(firstSegment);
      whole[7] = 0x32;
      new DataView(whole.buffer).setUint32(28, crc32(whole.subarray(0, 28)));
      await replace(disk, firstSegment, whole);
    },
    record: async (fixture) => {
      const { disk } = fixture.volumes[0]!;
      const unknown = record(3, new Uint8Array(32), new Uint8Array(8), 1);
      await replace(disk, firstSegment, concat([disk.contents(firstSegment), unknown]));
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    const fixture = new StoreFixture(14);
    await written(fixture, fixture.chunks(3));
    await change(fixture);
    const { disk } = fixture.volumes[0]!;
    const before = disk.paths().map((path) => toHex(disk.contents(path)));
    const store = await fixture.open();
    assert.equal(store.status().volumes[0]!.error?.code, 'VOLUME_VERSION_UNKNOWN', what);
    assert.deepEqual(
      disk.paths().map((path) => toHex(disk.contents(path))),
      before,
    );
  }
});

test('a label that is damaged, or missing beside segments, is refused', async () => {
  for (const harm of ['damaged', 'missing']) {
    const fixture = new StoreFixture(15);
    await written(fixture, fixture.chunks(3));
    const { disk } = fixture.volumes[0]!;
    if (harm === 'missing') await disk.remove('volume.cbor');
    else await replace(disk, 'volume.cbor', new Uint8Array([0xff]));
    const store = await fixture.open();
    assert.equal(store.status().volumes[0]!.error?.code, 'VOLUME_LABEL_CORRUPT', harm);
  }
});

test('an index that has no room keeps what was acknowledged readable, and is committed later', async () => {
  const fixture = new StoreFixture(16);
  const store = await fixture.open();
  const { index } = fixture.volumes[0]!;
  index.fail('DISK_FULL');
  const chunks = fixture.chunks(5);
  for (const { id, body } of chunks) await store.put(id, body);
  await fixture.clock.run(3000);
  assert.equal(store.status().volumes[0]!.state, 'full');
  await readable(store, chunks);
  index.fail(undefined);
  await fixture.clock.run(3000);
  await settle();
  await store.close();
  const again = await fixture.open();
  await readable(again, chunks);
});
