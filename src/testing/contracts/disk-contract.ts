import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import type { Disk } from '../../ports/disk.ts';

/** Declares the tests that every {@link Disk} passes. `make` gives an empty disk. */
export function diskContract(name: string, make: (context: TestContext) => Promise<Disk>): void {
  const declare = (title: string, body: (disk: Disk) => Promise<void>) =>
    test(`${name}: ${title}`, async (context) => body(await make(context)));

  declare('bytes are read where they were written, gaps as zeros', async (disk) => {
    const file = await disk.open('a', 'create');
    await file.write([utf8('one'), utf8(''), utf8('two')], 4);
    await file.sync();
    const into = new Uint8Array(20);
    assert.equal(await file.read(into, 0), 10);
    assert.equal(fromUtf8(into.subarray(0, 10)), '\0\0\0\0onetwo');
    assert.equal(await file.read(into, 8), 2);
    assert.equal(await file.read(into, 100), 0);
    assert.equal(await file.sizeBytes(), 10);
    await file.close();
  });

  declare('more parts than one system call takes are written in order', async (disk) => {
    const file = await disk.open('a', 'create');
    const parts = Array.from({ length: 2500 }, (_, index) => new Uint8Array([index, index >> 8]));
    await file.write(parts, 1);
    const into = new Uint8Array(5001);
    assert.equal(await file.read(into, 0), 5001);
    for (let index = 0; index < 2500; index++) {
      assert.equal(into[1 + 2 * index]! + 256 * into[2 + 2 * index]!, index);
    }
    await file.close();
  });

  declare('what is opened to read or write must exist; exclusive must not', async (disk) => {
    await assert.rejects(disk.open('a', 'read'), { code: 'DISK_NOT_FOUND' });
    await assert.rejects(disk.open('a', 'write'), { code: 'DISK_NOT_FOUND' });
    await assert.rejects(disk.open('no/folder', 'create'), { code: 'DISK_NOT_FOUND' });
    await (await disk.open('a', 'exclusive')).close();
    await assert.rejects(disk.open('a', 'exclusive'), { code: 'DISK_EXISTS' });
    await (await disk.open('a', 'create')).close();
    await (await disk.open('a', 'write')).close();
  });

  declare('create keeps what a file holds', async (disk) => {
    const first = await disk.open('a', 'create');
    await first.write([utf8('kept')], 0);
    await first.close();
    const second = await disk.open('a', 'create');
    assert.equal(await second.sizeBytes(), 4);
    await second.close();
  });

  declare('truncate cuts and extends with zeros', async (disk) => {
    const file = await disk.open('a', 'create');
    await file.write([utf8('abcdef')], 0);
    await file.truncate(2);
    await file.truncate(4);
    const into = new Uint8Array(8);
    assert.equal(await file.read(into, 0), 4);
    assert.equal(fromUtf8(into.subarray(0, 4)), 'ab\0\0');
    await file.sync();
    await file.close();
  });

  declare('folders are made with those above them and list their names in order', async (disk) => {
    await disk.makeDirectory('a/b/c');
    await disk.makeDirectory('a/b');
    for (const name of ['a/b/z', 'a/b/d']) await (await disk.open(name, 'create')).close();
    assert.deepEqual(await disk.list('a/b'), ['c', 'd', 'z']);
    assert.deepEqual(await disk.list(''), ['a']);
    await assert.rejects(disk.list('a/none'), { code: 'DISK_NOT_FOUND' });
    await disk.syncDirectory('a/b');
    await disk.syncDirectory('');
    await assert.rejects(disk.syncDirectory('none'), { code: 'DISK_NOT_FOUND' });
  });

  declare('rename replaces, remove removes', async (disk) => {
    for (const name of ['a', 'b']) {
      const file = await disk.open(name, 'create');
      await file.write([utf8(name)], 0);
      await file.close();
    }
    await disk.rename('a', 'b');
    assert.deepEqual(await disk.list(''), ['b']);
    const file = await disk.open('b', 'read');
    const into = new Uint8Array(1);
    await file.read(into, 0);
    assert.equal(fromUtf8(into), 'a');
    await file.close();
    await disk.remove('b');
    await assert.rejects(disk.remove('b'), { code: 'DISK_NOT_FOUND' });
    await assert.rejects(disk.rename('b', 'c'), { code: 'DISK_NOT_FOUND' });
  });

  declare(
    'a sync of a file without a name is refused: nothing is acknowledged into the void',
    async (disk) => {
      const file = await disk.open('a', 'create');
      await file.write([utf8('x')], 0);
      await file.sync();
      await disk.remove('a');
      await assert.rejects(file.sync(), { code: 'DISK_GONE' });
      await file.close();
    },
  );

  declare('space says how much there is and how much is free', async (disk) => {
    const { totalBytes, freeBytes } = await disk.space();
    assert.ok(totalBytes > 0 && freeBytes > 0 && freeBytes <= totalBytes);
  });
}
