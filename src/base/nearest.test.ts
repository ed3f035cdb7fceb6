import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { didYouMean, nearestName } from './nearest.ts';

const known = ['replicas', 'name', 'port', 'disks', 'status', 'shutdown'];

test('one wrong, missing, added or swapped letter finds the name', () => {
  assert.equal(nearestName('replikas', known), 'replicas');
  assert.equal(nearestName('replica', known), 'replicas');
  assert.equal(nearestName('nname', known), 'name');
  assert.equal(nearestName('sattus', known), 'status');
  assert.equal(nearestName('PORT', known), 'port');
});

test('a word that is like none of them finds nothing', () => {
  assert.equal(nearestName('zebra', known), undefined);
  assert.equal(nearestName('', known), undefined);
  assert.equal(nearestName('x', ['y']), undefined);
});

test('of two names equally near, the first is taken', () => {
  assert.equal(nearestName('cat', ['bat', 'rat']), 'bat');
});

test('the hint is a clause for the end of a message, or nothing', () => {
  assert.equal(didYouMean('disk', known), '; did you mean "disks"?');
  assert.equal(didYouMean('qqqq', known), '');
});

test('a known name always finds itself, and any word ends', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (word) => {
      if (word !== '') assert.equal(nearestName(word.slice(0, 64), [word.slice(0, 64)]), word.slice(0, 64));
      nearestName(word, known);
    }),
  );
});
