import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hashTree } from './hash-tree.ts';

test('a hash tree of two levels is the one that veritysetup(8) makes', () => {
  const data = Buffer.concat(Array.from({ length: 300 }, (_, index) => Buffer.alloc(4096, index % 251)));
  const { tree, rootHash } = hashTree(data, Buffer.alloc(32, 7));
  assert.equal(tree.length, 16_384);
  assert.equal(
    createHash('sha256').update(tree).digest('hex'),
    '7ffb35a9694ddb04d3274685981c12bf276a30122eb13561743000731847759b',
  );
  assert.equal(rootHash.toString('hex'), '99d0725bb4fed6d64e7e60887f6a3b7ae476feddb6c76e9164ea46b1d231fc68');
});
