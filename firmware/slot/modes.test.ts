import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { copyInto, settleModes } from './modes.ts';

/** A folder with these files and their modes; a name that ends with a slash is a folder. */
function folderWith(t: TestContext, modes: Readonly<Record<string, number>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'modes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of Object.keys(modes)) {
    mkdirSync(name.endsWith('/') ? join(folder, name) : dirname(join(folder, name)), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(join(folder, name), name);
  }
  for (const [name, mode] of Object.entries(modes)) chmodSync(join(folder, name), mode);
  return folder;
}

function modesIn(folder: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => [name, (statSync(join(folder, name)).mode & 0o7777).toString(8)]),
  );
}

test('what is copied has the same modes from a clone of any umask', (t) => {
  const expected = { 'etc/new': '755', 'etc/new/run': '755', 'etc/new/text': '644', 'etc/text': '644' };
  for (const [folder, program, text] of [
    [0o755, 0o755, 0o644],
    [0o775, 0o775, 0o664],
    [0o700, 0o700, 0o600],
  ] as const) {
    const from = folderWith(t, {
      'etc/new/': folder,
      'etc/new/run': program,
      'etc/new/text': text,
      'etc/text': text,
    });
    const to = folderWith(t, { 'etc/': 0o755 });
    const umask = process.umask(0o077);
    try {
      copyInto(from, to);
    } finally {
      process.umask(umask);
    }
    assert.deepEqual(modesIn(to, Object.keys(expected)), expected);
    assert.equal(readFileSync(join(to, 'etc/new/run'), 'utf8'), 'etc/new/run');
  }
});

test('folders that were there keep their modes, and files are replaced with theirs', (t) => {
  const from = folderWith(t, { 'tmp/new': 0o600, 'private/old': 0o644, './': 0o700 });
  const to = folderWith(t, { 'tmp/': 0o1777, 'private/': 0o710, 'private/old': 0o755, './': 0o751 });
  writeFileSync(join(to, 'private/old'), 'before');
  copyInto(from, to);
  assert.deepEqual(modesIn(to, ['', 'tmp', 'tmp/new', 'private', 'private/old']), {
    '': '751',
    tmp: '1777',
    'tmp/new': '644',
    private: '710',
    'private/old': '644',
  });
  assert.equal(readFileSync(join(to, 'private/old'), 'utf8'), 'private/old');
});

test('a link is copied as it is', (t) => {
  const from = folderWith(t, { file: 0o600 });
  symlinkSync('file', join(from, 'link'));
  const to = folderWith(t, {});
  copyInto(from, to);
  assert.equal(readlinkSync(join(to, 'link')), 'file');
});

test('what is all ours is settled to its last file, and a link leads nowhere', (t) => {
  const elsewhere = folderWith(t, { secret: 0o600 });
  const folder = folderWith(t, { 'a/b/run': 0o700, 'a/b/text': 0o660, 'a/b/': 0o700, 'a/': 0o2775 });
  symlinkSync(join(elsewhere, 'secret'), join(folder, 'a/link'));
  settleModes(join(folder, 'a'));
  assert.deepEqual(modesIn(folder, ['a', 'a/b', 'a/b/run', 'a/b/text']), {
    a: '755',
    'a/b': '755',
    'a/b/run': '755',
    'a/b/text': '644',
  });
  assert.ok(lstatSync(join(folder, 'a/link')).isSymbolicLink());
  assert.deepEqual(modesIn(elsewhere, ['secret']), { secret: '600' });
});
