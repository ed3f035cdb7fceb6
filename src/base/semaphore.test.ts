import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../testing/fake-clock.ts';
import { Semaphore } from './semaphore.ts';

test('never lets more in than fits, and the first that waits goes first', async () => {
  const semaphore = new Semaphore(10);
  const entered: string[] = [];
  const enter = async (name: string, units: number) => {
    await semaphore.acquire(units);
    entered.push(name);
  };
  void enter('a', 6);
  void enter('b', 7);
  // It would fit beside `a`, but `b` came first and must not starve.
  void enter('c', 1);
  await settle();
  assert.deepEqual(entered, ['a']);
  semaphore.release(6);
  await settle();
  assert.deepEqual(entered, ['a', 'b', 'c']);
  void enter('d', 3);
  await settle();
  assert.equal(entered.length, 3);
  semaphore.release(1);
  await settle();
  assert.equal(entered.at(-1), 'd');
});
