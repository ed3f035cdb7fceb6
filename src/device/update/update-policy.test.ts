import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions } from './update-policy.ts';

test('versions are ordered as semantic versions are', () => {
  // The chain of semver.org §11, and builds, which do not count.
  const chain = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '1.10.0',
    '2.0.0',
  ];
  chain.forEach((left, leftIndex) => {
    chain.forEach((right, rightIndex) => {
      assert.equal(
        Math.sign(compareVersions(left, right)),
        Math.sign(leftIndex - rightIndex),
        `${left} and ${right}`,
      );
    });
  });
  assert.equal(compareVersions('1.0.0+dev', '1.0.0'), 0);
});
