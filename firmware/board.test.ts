import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boardNamed, bootFacts } from './board.ts';

test('the boot script is told the console and the arguments of a board, and those of its emulator where asked', () => {
  const board = boardNamed('rpi');
  assert.equal(bootFacts(board), 'console=ttyS1,115200\nboard_args=\n');
  assert.equal(bootFacts(board, 'quiet'), 'console=ttyS1,115200\nboard_args=quiet\n');
  const other = { ...board, boot: { ...board.boot, arguments: 'panic=1' } };
  assert.equal(bootFacts(other, 'quiet'), 'console=ttyS1,115200\nboard_args=panic=1 quiet\n');
});
