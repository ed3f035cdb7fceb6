import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, concat, toHex } from '../../base/bytes.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { decodeReferences, isInline } from './content.ts';
import { readContent } from './content-reader.ts';
import { ContentSealer, type SealedContent, type SealSecrets } from './content-sealer.ts';
import { writeContent } from './content-writer.ts';

const entropy = new SeededEntropy(5);
const gearTable = new Uint32Array(entropy.bytes(1024).buffer);
/** Chunks so small that a megabyte needs lists of lists. */
const secrets: SealSecrets = {
  chunkKeySecret: new Uint8Array(32).fill(4),
  gearTable,
  suite: 'aes-256-gcm',
  parameters: { minBytes: 128, averageBytes: 256, maxBytes: 1024 },
};

class MemoryChunks {
  readonly chunks = new Map<string, Bytes>();
  gets = 0;

  async putMany(chunks: readonly { id: Bytes; body: Bytes }[]) {
    for (const { id, body } of chunks) this.chunks.set(toHex(id), body);
    return chunks.map(() => ({ copies: 2 }));
  }

  async get(id: Bytes): Promise<Bytes> {
    this.gets++;
    return this.chunks.get(toHex(id))!;
  }
}

async function* inParts(bytes: Bytes, partBytes: number): AsyncGenerator<Bytes> {
  for (let offset = 0; offset < bytes.length; offset += partBytes)
    yield bytes.subarray(offset, offset + partBytes);
}

async function readAll(sealed: SealedContent, store: MemoryChunks, options = {}): Promise<Bytes> {
  const parts: Bytes[] = [];
  for await (const part of readContent(sealed.content, store, options)) parts.push(part);
  return concat(parts);
}

test('files of every depth come back byte for byte, and any range of them', async () => {
  const depths = new Set<number>();
  for (const size of [0, 1, 4096, 4097, 6000, 100_000, 4_500_000]) {
    const store = new MemoryChunks();
    const bytes = entropy.bytes(size);
    const sealed = await writeContent(inParts(bytes, 70_001), secrets, store);
    assert.equal(sealed.size, size);
    depths.add(sealed.content.depth);
    assert.deepEqual(Buffer.compare(await readAll(sealed, store), bytes), 0);
    for (let trial = 0; trial < 8; trial++) {
      const offset = entropy.below(size + 10);
      const length = entropy.below(5000);
      const range = await readAll(sealed, store, { offset, length });
      assert.equal(Buffer.compare(range, bytes.subarray(offset, offset + length)), 0);
    }
  }
  assert.deepEqual([...depths].sort(), [0, 1, 2, 3]);
});

test('reading the end of a large file fetches a few chunks, not all its lists', async () => {
  const store = new MemoryChunks();
  const sealed = await writeContent(inParts(entropy.bytes(500_000), 65_536), secrets, store);
  store.gets = 0;
  await readAll(sealed, store, { offset: 499_990 });
  assert.ok(store.gets <= 4, `${store.gets} chunks were fetched`);
});

test('a file does not depend on the parts it came in', async () => {
  const bytes = entropy.bytes(20_000);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 25_000 }), async (partBytes) => {
      const sealed = await writeContent(inParts(bytes, partBytes), secrets, new MemoryChunks());
      const whole = await writeContent(inParts(bytes, 20_000), secrets, new MemoryChunks());
      assert.deepEqual(sealed, whole);
    }),
    { numRuns: 8 },
  );
});

test('an edit in the middle of a large file leaves most chunks and lists as they were', async () => {
  const store = new MemoryChunks();
  const bytes = entropy.bytes(300_000);
  await writeContent(inParts(bytes, 65_536), secrets, store);
  const before = store.chunks.size;
  const edited = concat([bytes.subarray(0, 150_000), entropy.bytes(10), bytes.subarray(150_000)]);
  await writeContent(inParts(edited, 65_536), secrets, store);
  assert.ok(store.chunks.size - before < before / 20, `${store.chunks.size - before} of ${before} are new`);
});

test('content that lies about its lengths is refused', async () => {
  const store = new MemoryChunks();
  const sealed = await writeContent(inParts(entropy.bytes(100_000), 65_536), secrets, store);
  assert.ok(!isInline(sealed.content));
  const chunks = new Uint8Array(sealed.content.chunks);
  chunks[71]! += 1;
  const lying = { ...sealed, content: { ...sealed.content, chunks } };
  await assert.rejects(readAll(lying, store), { code: 'CONTENT_INVALID' });
  assert.throws(() => decodeReferences(chunks.subarray(0, 71)), { code: 'CONTENT_INVALID' });
  assert.throws(() => decodeReferences(new Uint8Array(72)), { code: 'CONTENT_INVALID' });
});

test('a changed chunk is noticed', async () => {
  const store = new MemoryChunks();
  const sealed = await writeContent(inParts(entropy.bytes(5000), 65_536), secrets, store);
  const [id, body] = [...store.chunks][3]!;
  const changed = new Uint8Array(body);
  changed[20]! ^= 1;
  store.chunks.set(id, changed);
  await assert.rejects(readAll(sealed, store), { code: 'CHUNK_CORRUPT' });
});

test('the next file begins afresh after one was given up half-way', () => {
  const sealer = new ContentSealer(secrets, () => {});
  const bytes = entropy.bytes(9000);
  const whole = () => {
    sealer.space.set(bytes);
    sealer.advance(bytes.length);
    return sealer.finish();
  };
  const first = whole();
  for (let round = 0; round < 3; round++) sealer.advance(sealer.space.length);
  sealer.reset();
  assert.deepEqual(whole(), first);
});

test('when chunks cannot be stored, writing fails with that error', async () => {
  const sink = { putMany: () => Promise.reject(Object.assign(new Error('full'), { code: 'POOL_FULL' })) };
  for (const size of [10_000, 1_500_000]) {
    await assert.rejects(writeContent(inParts(entropy.bytes(size), 65_536), secrets, sink), {
      code: 'POOL_FULL',
    });
  }
});
