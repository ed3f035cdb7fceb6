import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, compareBytes, toHex, utf8 } from '../../base/bytes.ts';
import type { KeyValueStore } from '../../ports/key-value-store.ts';

/** Opens the same store again after `close`. */
export type OpenStore = () => Promise<KeyValueStore>;

/** Declares the tests that every {@link KeyValueStore} passes. `make` gives how to open one that is empty. */
export function keyValueStoreContract(
  name: string,
  make: (context: TestContext) => Promise<OpenStore>,
): void {
  const declare = (title: string, body: (open: OpenStore) => Promise<void>) =>
    test(`${name}: ${title}`, async (context) => body(await make(context)));

  declare('a value is there after write, and after the store was closed and opened', async (open) => {
    const store = await open();
    await store.write([{ key: utf8('a'), value: utf8('1') }]);
    assert.deepEqual(store.get(utf8('a')), utf8('1'));
    await store.close();
    const again = await open();
    assert.deepEqual(again.get(utf8('a')), utf8('1'));
    assert.equal(again.get(utf8('b')), undefined);
    await again.close();
  });

  declare('reads see a write that is not durable yet', async (open) => {
    const store = await open();
    await store.write([
      { key: utf8('a'), value: utf8('old') },
      { key: utf8('c'), value: utf8('old') },
    ]);
    const written = store.write([
      { key: utf8('a'), value: undefined },
      { key: utf8('b'), value: utf8('new') },
      { key: utf8('d'), value: utf8('new') },
    ]);
    assert.equal(store.get(utf8('a')), undefined);
    assert.deepEqual(store.get(utf8('b')), utf8('new'));
    const names = [...store.range({ from: utf8('a'), to: utf8('z') })].map(({ key }) => toHex(key));
    assert.deepEqual(names, ['62', '63', '64']);
    const limited = [...store.range({ from: utf8('a'), to: utf8('z'), limit: 2 })];
    assert.deepEqual(limited[1], { key: utf8('c'), value: utf8('old') });
    await written;
    await store.close();
  });

  declare('the last of several writes to a key holds', async (open) => {
    const store = await open();
    const key = utf8('k');
    await Promise.all([1, 2, 3].map((value) => store.write([{ key, value: new Uint8Array([value]) }])));
    assert.deepEqual(store.get(key), new Uint8Array([3]));
    await store.write([
      { key, value: undefined },
      { key, value: new Uint8Array([4]) },
    ]);
    assert.deepEqual(store.get(key), new Uint8Array([4]));
    await store.close();
  });

  declare(
    'keys of 1 to 511 bytes and empty values are kept; what was read belongs to the reader',
    async (open) => {
      const store = await open();
      const long = new Uint8Array(511).fill(255);
      await store.write([
        { key: new Uint8Array([0]), value: new Uint8Array(0) },
        { key: long, value: utf8('v') },
      ]);
      assert.deepEqual(store.get(new Uint8Array([0])), new Uint8Array(0));
      const value = store.get(long)!;
      value.fill(0);
      assert.deepEqual(store.get(long), utf8('v'));
      await store.close();
    },
  );

  declare('range gives the entries of a half-open range in byte order', async (open) => {
    const store = await open();
    const key = fc.uint8Array({ minLength: 1, maxLength: 4 });
    let kept: Bytes[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 8 }), key, key, async (keys, a, b) => {
        await store.write(kept.map((each) => ({ key: each, value: undefined })));
        kept = keys;
        await store.write(keys.map((each) => ({ key: each, value: each })));
        const [from, to] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
        const expected = new Set(
          keys
            .filter((each) => compareBytes(each, from) >= 0 && compareBytes(each, to) < 0)
            .sort(compareBytes)
            .map(toHex),
        );
        const found = [...store.range({ from, to })].map((entry) => toHex(entry.value));
        assert.deepEqual(found, [...expected]);
      }),
      { numRuns: 30 },
    );
    await store.close();
  });
}
