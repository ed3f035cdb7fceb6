import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededEntropy } from '../../src/testing/seeded-entropy.ts';
import { parseOptions, usage } from './options.ts';

function parse(...words: string[]) {
  return parseOptions(words, new SeededEntropy(1));
}

test('without options everything that a person may leave open is fresh or usual', () => {
  const { device, board, provision, force, toFile, yes, list } = parse('/dev/sdb');
  assert.deepEqual(
    [device, board, force, toFile, yes, list],
    ['/dev/sdb', 'rpi', false, false, false, false],
  );
  assert.match(provision.serial, /^AS-\w{10}$/);
  assert.match(provision.claimCode, /^\w{4}-\w{4}$/);
});

test('a claim code is taken as a person types it', () => {
  assert.equal(parse('--claim-code', '7k3m 9qxr').provision.claimCode, '7K3M-9QXR');
  assert.equal(parse('--serial', 'box.7').provision.serial, 'box.7');
});

test('what makes no sense is refused', () => {
  for (const words of [
    ['/dev/sdb', '/dev/sdc'],
    ['--claim-code', '7K3M-9QXU'],
    ['--serial', 'a "b"'],
    ['--board', '../..'],
    ['--erase'],
    ['--image'],
  ])
    assert.throws(() => parse(...words), { code: 'USAGE' }, words.join(' '));
});

test('the usage names every option in at most 110 columns', () => {
  for (const name of [
    'image',
    'board',
    'serial',
    'claim-code',
    'label',
    'list',
    'to-file',
    'force',
    'yes',
    'help',
  ])
    assert.ok(
      usage.some((line) => line.includes(`--${name}`)),
      name,
    );
  assert.ok(usage.every((line) => line.length <= 110));
});
