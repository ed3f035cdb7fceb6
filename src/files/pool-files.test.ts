import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, concat, toHex, utf8 } from '../base/bytes.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { logFixture, openTreeBox } from '../testing/log-fixture.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { PoolFiles } from './pool-files.ts';

const entropy = new SeededEntropy(9);
const whole = { offset: 0, length: Number.MAX_SAFE_INTEGER };

/** Chunks that so many boxes take. */
class Chunks {
  readonly held = new Map<string, Bytes>();
  copies = 3;

  async putMany(chunks: readonly { id: Bytes; body: Bytes }[]) {
    for (const { id, body } of chunks) this.held.set(toHex(id), new Uint8Array(body));
    return chunks.map(() => ({ copies: this.copies }));
  }

  async get(id: Bytes): Promise<Bytes> {
    return this.held.get(toHex(id))!;
  }
}

async function open() {
  const { service } = await openTreeBox(logFixture(1));
  const chunks = new Chunks();
  const secrets = {
    chunkKeySecret: new Uint8Array(32).fill(4),
    gearTable: new Uint32Array(entropy.bytes(1024).buffer),
    suite: 'aes-256-gcm',
  } as const;
  return { chunks, files: new PoolFiles({ tree: service, chunks, secrets }, { clock: new FakeClock() }) };
}

async function* parts(bytes: Bytes, partBytes = 50_000): AsyncGenerator<Bytes> {
  for (let offset = 0; offset < bytes.length; offset += partBytes)
    yield bytes.subarray(offset, offset + partBytes);
}

async function bytesOf(files: PoolFiles, path: readonly string[], range = whole): Promise<Bytes> {
  const read: Bytes[] = [];
  for await (const part of files.read(await files.stat(path), range)) read.push(part);
  return concat(read);
}

test('what is stored is fetched again, small and large, whole and in part, with its time', async () => {
  const { files } = await open();
  for (const size of [0, 3, 4096, 900_000]) {
    const bytes = entropy.bytes(size);
    const path = ['photos', `${size}.jpg`];
    const written = await files.write(path, { source: parts(bytes), mtimeMs: 77 });
    assert.equal(written.size, size);
    assert.deepEqual(await bytesOf(files, path), bytes);
    assert.equal((await files.stat(path)).mtimeMs, 77);
    if (size > 2)
      assert.deepEqual(await bytesOf(files, path, { offset: 1, length: 2 }), bytes.subarray(1, 3));
  }
  const { entries } = await files.list(['photos']);
  assert.equal(entries.length, 4);
});

test('it has as many copies as the least kept of its parts', async () => {
  const { files, chunks } = await open();
  chunks.copies = 2;
  // The tree here is one box's alone.
  assert.equal((await files.write(['a'], { source: parts(entropy.bytes(400_000)) })).copies, 1);
});

test('a source that breaks off leaves what was there', async () => {
  const { files } = await open();
  await files.write(['a'], { source: parts(utf8('before')) });
  const broken = async function* () {
    yield entropy.bytes(300_000);
    throw new Error('the browser has gone');
  };
  await assert.rejects(files.write(['a'], { source: broken() }), /gone/);
  assert.deepEqual(await bytesOf(files, ['a']), utf8('before'));
});

test('folders are made and removed with what is in them, and are no files', async () => {
  const { files } = await open();
  await files.makeDirectory(['a', 'b']);
  await files.write(['a', 'b', 'c'], { source: parts(utf8('x')) });
  assert.throws(() => files.read({ ...entry(), kind: 'directory' }, whole), { code: 'IS_A_DIRECTORY' });
  await files.remove(['a']);
  await assert.rejects(files.stat(['a']), { code: 'PATH_NOT_FOUND' });
});

function entry() {
  return { name: 'a', node: new Uint8Array(16), kind: 'file', mode: 0o644, mtimeMs: 0, size: 0 } as const;
}
