import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldName, formatRemotePath, nameProblem, parseRemotePath } from './remote-path.ts';

test('a path is the names between its slashes; one slash at the end is forgiven', () => {
  assert.deepEqual(parseRemotePath('/'), []);
  assert.deepEqual(parseRemotePath('/a/b c'), ['a', 'b c']);
  assert.deepEqual(parseRemotePath('/a/'), ['a']);
  assert.deepEqual(parseRemotePath('/back\\slash/C:'), ['back\\slash', 'C:']);
});

test('a path that is no path is refused, naming the component', () => {
  const long = 'x'.repeat(256);
  for (const [text, component] of [
    ['', -1],
    ['a/b', -1],
    ['//', 0],
    ['/a//b', 1],
    ['/a/../b', 1],
    ['/./a', 0],
    ['/..', 0],
    ['/a/b\0c', 1],
    [`/${long}`, 0],
    [`/${'é'.repeat(128)}`, 0],
    ['/a/\ud800', 1],
    [`/${'d/'.repeat(257)}`, 256],
    [`/${`${'y'.repeat(200)}/`.repeat(21)}`, -1],
  ] as const) {
    assert.throws(
      () => parseRemotePath(text),
      (error: { code?: string; fields?: { component?: number } }) => {
        assert.equal(error.code, 'PATH_INVALID');
        assert.equal(error.fields?.component, component, JSON.stringify(text.slice(0, 20)));
        return true;
      },
    );
  }
});

test('whatever parses is written back as it was', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 20, unit: 'binary' })
    .filter((text) => nameProblem(text) === undefined);
  fc.assert(
    fc.property(fc.array(name, { maxLength: 5 }), (names) => {
      assert.deepEqual(parseRemotePath(formatRemotePath(names)), names);
    }),
  );
});

test('names that a desktop may take for one fold alike', () => {
  for (const [a, b] of [
    ['README', 'readme'],
    ['é', 'e\u0301'],
    ['STRASSE', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδός', 'ΟΔΌΣ'],
  ]) {
    assert.equal(foldName(a!), foldName(b!));
  }
  assert.notEqual(foldName('a'), foldName('b'));
});
