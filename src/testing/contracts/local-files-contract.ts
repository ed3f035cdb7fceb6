import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromUtf8, utf8 } from '../../base/bytes.ts';
import type { BlockingFiles, LocalFiles } from '../../ports/local-files.ts';

export interface LocalFilesUnderTest {
  readonly files: LocalFiles;
  readonly blocking: BlockingFiles;
  /** An empty directory. */
  readonly root: string;
}

/** Declares the tests that every {@link LocalFiles} with its {@link BlockingFiles} passes. */
export function localFilesContract(
  name: string,
  make: (context: TestContext) => Promise<LocalFilesUnderTest>,
): void {
  const declare = (title: string, body: (under: LocalFilesUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async (context) => body(await make(context)));

  const write = async ({ files, root }: LocalFilesUnderTest, name: string, text: string) => {
    const path = files.join(root, name);
    const writer = await files.create(path);
    for (const letter of text) await writer.write(utf8(letter));
    await writer.finish({ mode: 0o640, mtimeMs: 1_500_000_000_000 });
    return path;
  };

  const read = ({ blocking }: LocalFilesUnderTest, path: string) => {
    const file = blocking.open(path);
    const into = new Uint8Array(100);
    const count = file.read(into);
    assert.equal(file.read(into.subarray(50)), 0);
    file.rewind();
    assert.equal(file.read(into), count);
    file.close();
    return fromUtf8(into.subarray(0, count));
  };

  declare('a file is made once, with its bytes, mode and time', async (under) => {
    const path = await write(under, 'a', 'hello');
    assert.equal(read(under, path), 'hello');
    const stat = await under.files.stat(path);
    assert.deepEqual(stat, { kind: 'file', mode: 0o640, mtimeMs: 1_500_000_000_000, sizeBytes: 5 });
    const { changeToken, ...blockingStat } = under.blocking.open(path).stat();
    assert.deepEqual(blockingStat, stat);
    assert.notEqual(changeToken, '');
    await assert.rejects(under.files.create(path), { code: 'LOCAL_EXISTS' });
  });

  declare('a file takes the place of another, of a link, but not of a directory', async (under) => {
    const { files, root } = under;
    const [old, link, directory] = ['old', 'link', 'directory'].map((name) => files.join(root, name));
    await write(under, 'old', 'old');
    await files.makeLink(link!, 'old');
    await files.makeDirectory(directory!);
    await files.replace(await write(under, 'new', 'new'), old!);
    assert.equal(read(under, old!), 'new');
    await files.replace(await write(under, 'new', 'newer'), link!);
    assert.equal((await files.stat(link!)).kind, 'file');
    assert.equal(read(under, old!), 'new');
    await assert.rejects(files.replace(await write(under, 'new', 'x'), directory!), { code: 'LOCAL_EXISTS' });
  });

  declare('directories are made, kept, and given attributes', async ({ files, root }) => {
    const path = files.join(root, 'd');
    await files.makeDirectory(path);
    await files.makeDirectory(path);
    await files.setAttributes(path, { mode: 0o500, mtimeMs: 1_400_000_000_000 });
    const { kind, mode, mtimeMs } = await files.stat(path);
    assert.deepEqual({ kind, mode, mtimeMs }, { kind: 'directory', mode: 0o500, mtimeMs: 1_400_000_000_000 });
    await files.setAttributes(path, { mode: 0o700, mtimeMs: 0 });
    await assert.rejects(files.makeDirectory(files.join(files.join(root, 'none'), 'e')), {
      code: 'LOCAL_NOT_FOUND',
    });
  });

  declare('a link is itself, is no directory to write in, and is not read through', async (under) => {
    const { files, root, blocking } = under;
    const [target, link] = [files.join(root, 'target'), files.join(root, 'link')];
    await files.makeDirectory(target);
    await files.makeLink(link, 'target');
    assert.equal(await files.readLink(link), 'target');
    assert.equal((await files.stat(link)).kind, 'symlink');
    await assert.rejects(files.makeDirectory(link), { code: 'LOCAL_EXISTS' });
    await assert.rejects(files.makeLink(link, 'x'), { code: 'LOCAL_EXISTS' });
    await write(under, 'f', 'x');
    await files.makeLink(files.join(root, 'to-file'), 'f');
    assert.throws(() => blocking.open(files.join(root, 'to-file')), { code: 'LOCAL_UNREADABLE' });
    await files.remove(link);
    await assert.rejects(files.stat(link), { code: 'LOCAL_NOT_FOUND' });
  });

  declare('a directory lists what is in it, each once', async (under) => {
    const { files, root } = under;
    for (let index = 0; index < 150; index++) await files.makeLink(files.join(root, `l${index}`), 'x');
    await files.makeDirectory(files.join(root, 'd'));
    await write(under, 'ä "odd" name', 'x');
    const kinds = new Map<string, string>();
    for await (const batch of files.list(root)) {
      for (const { name, shownName, stat } of batch) {
        assert.equal(name, shownName);
        assert.ok(!kinds.has(shownName));
        kinds.set(shownName, stat!.kind);
      }
    }
    assert.equal(kinds.size, 152);
    assert.deepEqual(
      ['l149', 'd', 'ä "odd" name'].map((each) => kinds.get(each)),
      ['symlink', 'directory', 'file'],
    );
    await assert.rejects(files.list(files.join(root, 'none'))[Symbol.asyncIterator]().next(), {
      code: 'LOCAL_NOT_FOUND',
    });
  });

  declare('paths are taken apart as they are put together', async ({ files, root }) => {
    const path = files.join(root, 'name');
    assert.deepEqual([files.parentOf(path), files.nameOf(path)], [root, 'name']);
    assert.equal(files.acceptsName('name'), true);
    assert.equal(files.acceptsName('a/b'), false);
  });
}
