import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid, platform } from 'node:process';
import { type TestContext, test } from 'node:test';
import { localFilesContract } from '../testing/contracts/local-files-contract.ts';
import { MemoryLocalFiles } from '../testing/memory-local-files.ts';
import { nodeBlockingFiles } from './node-blocking-files.ts';
import { NodeLocalFiles } from './node-local-files.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'aether-local-')));
  context.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

localFilesContract('NodeLocalFiles', async (context) => ({
  files: new NodeLocalFiles(),
  blocking: nodeBlockingFiles,
  root: await temporaryFolder(context),
}));
localFilesContract('MemoryLocalFiles', async () => {
  const files = new MemoryLocalFiles();
  files.directory('/root');
  return { files, blocking: files.blocking, root: '/root' };
});

test('a pipe is told by its kind, and opening it waits for nobody', async (context) => {
  if (platform === 'win32') return context.skip('this system has no named pipes in directories');
  const root = await temporaryFolder(context);
  const path = join(root, 'pipe');
  execFileSync('mkfifo', [path]);
  assert.equal((await new NodeLocalFiles().stat(path)).kind, 'other');
  const file = nodeBlockingFiles.open(path);
  assert.equal(file.stat().kind, 'other');
  file.close();
});

test('a name that is no Unicode is listed without a name', async (context) => {
  if (platform !== 'linux') return context.skip('only Linux has names that are no Unicode');
  const root = await temporaryFolder(context);
  await writeFile(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]), 'x');
  for await (const batch of new NodeLocalFiles().list(root)) {
    assert.deepEqual(batch, [{ name: undefined, shownName: 'caf\ufffd', stat: undefined }]);
  }
});

test('what may not be read is LOCAL_DENIED', async (context) => {
  if (getuid?.() === 0) return context.skip('root may read everything');
  const root = await temporaryFolder(context);
  await writeFile(join(root, 'secret'), 'x');
  await chmod(join(root, 'secret'), 0);
  assert.throws(() => nodeBlockingFiles.open(join(root, 'secret')), { code: 'LOCAL_DENIED' });
});

test('a directory that cannot be written to is made so while it is filled', async (context) => {
  const root = await temporaryFolder(context);
  const files = new NodeLocalFiles();
  await files.makeDirectory(join(root, 'd'));
  await files.setAttributes(join(root, 'd'), { mode: 0o500, mtimeMs: 0 });
  await files.makeDirectory(join(root, 'd'));
  assert.equal((await files.stat(join(root, 'd'))).mode & 0o300, 0o300);
});

test('links that lead nowhere and in circles are links like others', async (context) => {
  const root = await temporaryFolder(context);
  await symlink('circle', join(root, 'circle'));
  assert.equal((await new NodeLocalFiles().stat(join(root, 'circle'))).kind, 'symlink');
});
