import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { diskContract } from '../testing/contracts/disk-contract.ts';
import { keyValueStoreContract } from '../testing/contracts/key-value-store-contract.ts';
import { LmdbStore } from './lmdb-store.ts';
import { NodeDisk } from './node-disk.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aether-disk-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

diskContract('NodeDisk', async (context) => new NodeDisk(await temporaryFolder(context)));
keyValueStoreContract('LmdbStore', async (context) => {
  const path = join(await temporaryFolder(context), 'index');
  return () => LmdbStore.open(path);
});

test('files and folders are for their owner only', async (context) => {
  const root = join(await temporaryFolder(context), 'volume');
  const disk = new NodeDisk(root);
  await disk.makeDirectory('a');
  await (await disk.open('a/b', 'create')).close();
  assert.equal((await stat(root)).mode & 0o777, 0o700);
  assert.equal((await stat(join(root, 'a/b'))).mode & 0o777, 0o600);
});

test('a root that was deleted, moved or replaced is DISK_GONE', async (context) => {
  for (const harm of ['deleted', 'moved', 'replaced'] as const) {
    const root = join(await temporaryFolder(context), 'volume');
    const disk = new NodeDisk(root);
    await disk.makeDirectory('');
    const file = await disk.open('a', 'create');
    await file.write([utf8('x')], 0);
    await file.sync();
    if (harm === 'deleted') await rm(root, { recursive: true });
    else await rename(root, `${root}-elsewhere`);
    if (harm === 'replaced') await mkdir(root);
    await assert.rejects(file.sync(), { code: 'DISK_GONE' }, harm);
    await assert.rejects(disk.open('b', 'create'), { code: 'DISK_GONE' }, harm);
    await assert.rejects(disk.makeDirectory('c'), { code: 'DISK_GONE' }, harm);
    await assert.rejects(disk.space(), { code: 'DISK_GONE' }, harm);
    await file.close();
  }
});

test('a folder that never was is not found, with help', async (context) => {
  const disk = new NodeDisk(join(await temporaryFolder(context), 'none'));
  await assert.rejects(disk.open('a', 'create'), { code: 'DISK_NOT_FOUND', help: /attached/ });
});
