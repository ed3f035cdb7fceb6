import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { removeDamagedStore } from './lmdb-file.ts';
import { LmdbStore } from './lmdb-store.ts';

const key = utf8('key');

/** A store that was written to often enough for its file to have pages that were used again. */
async function filledStore(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lmdb-'));
  context.after(() => rm(path, { recursive: true }));
  const store = await LmdbStore.open(path);
  for (let round = 0; round < 20; round++) {
    const value = new Uint8Array(1000 * (round % 7)).fill(round);
    await store.write([
      { key, value },
      { key: utf8(`${round}`), value },
      ...(round > 3 ? [{ key: utf8(`${round - 3}`), value: undefined }] : []),
    ]);
  }
  await store.close();
  return path;
}

test('a store that is whole, or not there yet, is left alone', async (context) => {
  const path = await filledStore(context);
  assert.equal(removeDamagedStore(path), false);
  assert.equal(removeDamagedStore(join(path, 'none')), false);
  const store = await LmdbStore.open(path);
  assert.ok(store.get(key) !== undefined);
  await store.close();
});

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  'was cut short': async (file) => truncate(file, (await readFile(file)).length - 4096),
  'was cut inside its first pages': (file) => truncate(file, 5000),
  'holds other bytes': async (file) => writeFile(file, Buffer.alloc((await readFile(file)).length, 7)),
  'holds zeros': async (file) => writeFile(file, Buffer.alloc((await readFile(file)).length)),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a store whose file ${what} is made anew instead of crashing the process`, async (context) => {
    const path = await filledStore(context);
    await damage(join(path, 'data.mdb'));
    const store = await LmdbStore.open(path);
    assert.equal(store.get(key), undefined);
    await store.write([{ key, value: utf8('again') }]);
    await store.close();
    assert.equal(removeDamagedStore(path), false);
  });
}
