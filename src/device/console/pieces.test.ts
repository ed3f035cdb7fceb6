import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../base/bytes.ts';
import { consolePieceCharactersMax } from '../../base/face-limits.ts';
import { piecesOf } from './pieces.ts';

test('lines stay whole, several in a piece', () => {
  const lines = Array.from({ length: 1000 }, (_, number) => `${'x'.repeat(number % 100)}${number}`);
  const pieces = [...piecesOf(lines, '\r\n')];
  assert.equal(pieces.join(''), lines.map((line) => `${line}\r\n`).join(''));
  assert.ok(pieces.length < 30);
  for (const piece of pieces) {
    assert.ok(piece.endsWith('\r\n'));
    assert.ok(piece.length <= consolePieceCharactersMax);
  }
  assert.deepEqual([...piecesOf([], '\n')], []);
  assert.deepEqual([...piecesOf([''], '\n')], ['\n']);
});

test('a longer line is cut, never through a character', () => {
  for (const start of ['', 'a']) {
    const line = `${start}${'💾'.repeat(consolePieceCharactersMax)}`;
    const pieces = [...piecesOf(['before', line, 'after'], '\n')];
    assert.equal(pieces.join(''), `before\n${line}\nafter\n`);
    for (const piece of pieces) {
      assert.ok(piece.length <= consolePieceCharactersMax);
      assert.ok(!utf8(piece).some((byte, at, bytes) => byte === 0xef && bytes[at + 1] === 0xbf));
    }
  }
});
