import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitArguments } from './put.ts';

const split = (words: readonly string[], to?: string, local: readonly string[] = ['/']) =>
  splitArguments(words, to, async (path) => local.includes(path));

test('one path goes to the root, also when it begins with /', async () => {
  assert.deepEqual(await split(['/mnt/photos'], undefined, ['/mnt/photos']), {
    sources: ['/mnt/photos'],
    remote: [],
  });
});

test('of several, a last one that begins with / is where they go', async () => {
  assert.deepEqual(await split(['a', 'b', '/c/d']), { sources: ['a', 'b'], remote: ['c', 'd'] });
  assert.deepEqual(await split(['/a', '/']), { sources: ['/a'], remote: [] });
  assert.deepEqual(await split(['a', './b']), { sources: ['a', './b'], remote: [] });
});

test('a last one that is on this computer too is refused, and the refusal names the way out', async () => {
  await assert.rejects(split(['./a', '/music/b'], undefined, ['/music/b']), {
    code: 'USAGE',
    help: /--to \/music\/b .*--to \/\./,
  });
});

test('with --to, every argument is stored there', async () => {
  const local = ['/music/b'];
  assert.deepEqual(await split(['./a', '/music/b'], '/', local), {
    sources: ['./a', '/music/b'],
    remote: [],
  });
  assert.deepEqual(await split(['./a'], '/music/b', local), {
    sources: ['./a'],
    remote: ['music', 'b'],
  });
});

test('none, or a remote path that leads elsewhere, is refused', async () => {
  await assert.rejects(split([]), { code: 'USAGE' });
  await assert.rejects(split(['a', '/b/../c']), { code: 'PATH_INVALID' });
  await assert.rejects(split(['a', '/b\0']), { code: 'PATH_INVALID' });
  await assert.rejects(split(['a'], 'b'), { code: 'PATH_INVALID' });
});
