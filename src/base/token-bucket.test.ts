import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullBucket, type TokenBucket, takeToken } from './token-bucket.ts';

const size = { perSecond: 4, burst: 10 };

/** How many of `count` events at `now` pass. */
function passing(bucket: TokenBucket, count: number, now: number): [number, TokenBucket] {
  let left = bucket;
  let passed = 0;
  for (let index = 0; index < count; index++) {
    const next = takeToken(left, size, now);
    if (next === undefined) continue;
    left = next;
    passed++;
  }
  return [passed, left];
}

test('a burst passes, then so many a second, and rest saves up no more than a burst', () => {
  let [passed, bucket] = passing(fullBucket(size, 0), 100, 0);
  assert.equal(passed, 10);
  [passed, bucket] = passing(bucket, 100, 500);
  assert.equal(passed, 2);
  [passed, bucket] = passing(bucket, 100, 1_000_000);
  assert.equal(passed, 10);
  [passed] = passing(bucket, 1, 999_999);
  assert.equal(passed, 0);
});

test('tokens that come bit by bit are not lost to many askers in between', () => {
  let bucket = passing(fullBucket(size, 0), 10, 0)[1];
  let passed = 0;
  for (let now = 1; now <= 10_000; now++) {
    const next = takeToken(bucket, size, now);
    if (next === undefined) continue;
    bucket = next;
    passed++;
  }
  assert.equal(passed, 40);
});
