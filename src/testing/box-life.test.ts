import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoxLife } from '../box-life.ts';

test('a box that stops or is shut down stays so; however else it ends, it starts again', () => {
  const startsAgain = (...how: Parameters<BoxLife['end']>) => {
    const life = new BoxLife();
    void life.end(...how);
    return life.startsAgain;
  };
  for (const how of ['stop', 'shutdown'] as const) assert.equal(startsAgain(how), false, how);
  for (const how of ['restart', 'factory-reset', 'reboot'] as const)
    assert.equal(startsAgain(how), true, how);
});

test('the first who asks has it, and a program that fails unasked does not start again by itself', () => {
  const life = new BoxLife();
  assert.equal(life.startsAgain, false);
  void life.end('shutdown');
  void life.end('restart');
  assert.equal(life.startsAgain, false);
});
