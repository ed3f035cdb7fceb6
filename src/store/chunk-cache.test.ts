import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkCache } from './chunk-cache.ts';

test('keeps what was read lately within its bytes, and nothing too large', () => {
  const cache = new ChunkCache(100, 40);
  const add = (name: string, bytes: number) => cache.add(name, new Uint8Array(bytes));
  const held = () => ['a', 'b', 'c', 'd', 'large'].filter((name) => cache.get(name) !== undefined).join('');
  add('a', 40);
  add('b', 40);
  add('large', 41);
  assert.equal(held(), 'ab');
  cache.get('a');
  add('c', 30);
  assert.equal(held(), 'ac');
  add('c', 30);
  add('d', 30);
  assert.equal(held(), 'acd');
});
