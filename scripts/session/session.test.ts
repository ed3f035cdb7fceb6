import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Matcher } from './matcher.ts';
import { readSession } from './script.ts';

const document = [
  '**1. Start it.** Now:',
  '```console terminal-1',
  '$ npm start',
  'Claim code: 7K3M-Q9XA',
  'aether-3f2a> status',
  'All is well.',
  '',
  'aether-3f2a>',
  '```',
  '```sh',
  '$ not part of it',
  '```',
].join('\n');

test('only blocks of a terminal are read: what is typed, where, and what is answered', () => {
  const common = { terminal: 'terminal-1', chapter: '1. Start it' };
  assert.deepEqual(readSession(document), [
    { ...common, kind: 'command', prompt: '', text: 'npm start', output: ['Claim code: 7K3M-Q9XA'], line: 3 },
    { ...common, kind: 'console', prompt: 'aether-3f2a', text: 'status', output: ['All is well.'], line: 5 },
  ]);
});

test('an answer that nothing asked for is an error of the document', () => {
  assert.throws(() => readSession('```console terminal-1\nhello\n```'), /line 2/);
});

test('a name or code may be another one, but the same each time', () => {
  const matcher = new Matcher();
  assert.ok(matcher.matches('Claim code: 7K3M-Q9XA', 'Claim code: AAAA-1111'));
  assert.ok(matcher.matches('box aether-3f2a', 'box aether-0001'));
  assert.equal(
    matcher.translate('aether claim aether-3f2a --code 7K3M-Q9XA'),
    'aether claim aether-0001 --code AAAA-1111',
  );
  assert.ok(!matcher.matches('aether-3f2a is yours', 'aether-0002 is yours'));
  assert.equal(matcher.translate('aether-9c41'), 'aether-9c41');
});

test('what is measured anew each time only has to have the same shape', () => {
  const same: readonly (readonly [string, string])[] = [
    ['BOX  FREE  ADDRESS', 'BOX     FREE    ADDRESS'],
    ['x >64 GiB 192.168.1.20:4270 0.1.0', 'x <1 GiB [fd00::2%eth0]:35325 0.2.0'],
    ['2 files, 7.6 MiB in 0.3 s (25.4 MiB/s)', '2 files, 7.6 MiB in 1 min 2 s (980 B/s)'],
    ['it last answered 21 seconds ago.', 'it last answered just now.'],
    ['   4 couch     10 spare     16 rate      22 young', '   4 zoo       10 able      16 sing      22 gate'],
    ['-rw-r--r--  4.8 MiB  2026-11-23 15:41  a.jpg', '-rw-r--r--  4.8 MiB  2031-01-02 03:04  a.jpg'],
  ];
  for (const [expected, actual] of same) assert.ok(new Matcher().matches(expected, actual), actual);
});

test('everything else is compared letter by letter', () => {
  const different: readonly (readonly [string, string])[] = [
    ['2 files, 7.6 MiB in 0.3 s, 2 copies.', '2 files, 7.6 MiB in 0.3 s, 1 copy.'],
    ['2 files, 7.6 MiB', '2 files, 7.5 MiB'],
    ['photos/', 'photos'],
    ['Box aether-3f2a is away.', 'Box aether-3f2a is well.'],
  ];
  for (const [expected, actual] of different) assert.ok(!new Matcher().matches(expected, actual), actual);
});

test('a line too few or too many is told with the line', () => {
  assert.equal(new Matcher().compare(['a', 'b'], ['a', 'b']), undefined);
  assert.match(
    new Matcher().compare(['a', 'b'], ['a']) ?? '',
    /nothing is printed where the document has: b/,
  );
  assert.match(new Matcher().compare(['a'], ['a', 'b']) ?? '', /the document does not have: b/);
});
