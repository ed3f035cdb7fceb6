import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitArguments } from './put.ts';

test('one path goes to the root, also when it begins with /', () => {
  assert.deepEqual(splitArguments(['/mnt/photos']), { sources: ['/mnt/photos'], remote: [] });
});

test('of several, a last one that begins with / is where they go', () => {
  assert.deepEqual(splitArguments(['a', 'b', '/c/d']), { sources: ['a', 'b'], remote: ['c', 'd'] });
  assert.deepEqual(splitArguments(['/a', '/']), { sources: ['/a'], remote: [] });
  assert.deepEqual(splitArguments(['a', './b']), { sources: ['a', './b'], remote: [] });
});

test('none, or a remote path that leads elsewhere, is refused', () => {
  assert.throws(() => splitArguments([]), { code: 'USAGE' });
  assert.throws(() => splitArguments(['a', '/b/../c']), { code: 'PATH_INVALID' });
  assert.throws(() => splitArguments(['a', '/b\0']), { code: 'PATH_INVALID' });
});
