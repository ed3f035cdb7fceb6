import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { createLog, type LogEntry } from '../base/log.ts';
import type { BoxEnd } from '../box-control.ts';
import { BoxLife, closeEach } from '../box-life.ts';

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

test('a program that fails unasked does not start again by itself', () => {
  assert.equal(new BoxLife().startsAgain, false);
});

/** What becomes of those who ask one after the other, and how it ends. */
async function ask(...ways: readonly BoxEnd[]) {
  const life = new BoxLife();
  const all = Promise.allSettled(ways.map((way) => life.end(way)));
  life.closed();
  const said = (await all).map((each) => (each.status === 'fulfilled' ? 'done' : each.reason.code));
  return { how: life.how, said };
}

test('a factory reset or a shutdown that is asked for while a restart is under way is carried out', async () => {
  assert.deepEqual(await ask('restart', 'factory-reset'), { how: 'factory-reset', said: ['done', 'done'] });
  assert.deepEqual(await ask('restart', 'shutdown'), { how: 'shutdown', said: ['BOX_ENDING', 'done'] });
  assert.deepEqual(await ask('shutdown', 'factory-reset'), {
    how: 'factory-reset',
    said: ['BOX_ENDING', 'done'],
  });
  assert.deepEqual(await ask('restart', 'stop'), { how: 'stop', said: ['BOX_ENDING', 'done'] });
});

test('who asks for less than is under way is told whether it comes to that', async () => {
  assert.deepEqual(await ask('reboot', 'restart', 'stop'), { how: 'reboot', said: ['done', 'done', 'done'] });
  assert.deepEqual(await ask('shutdown', 'stop', 'restart', 'reboot'), {
    how: 'shutdown',
    said: ['done', 'done', 'BOX_ENDING', 'BOX_ENDING'],
  });
  assert.deepEqual(await ask('factory-reset', 'shutdown', 'restart'), {
    how: 'factory-reset',
    said: ['done', 'BOX_ENDING', 'done'],
  });
});

test('who asks when it has ended changes nothing, and is told so', async () => {
  const life = new BoxLife();
  const stopped = life.end('stop');
  life.closed();
  await stopped;
  await assert.rejects(life.end('factory-reset'), { code: 'BOX_ENDING', message: /stops/ });
  assert.equal(life.how, 'stop');
});

test('something that cannot be closed keeps nothing else open, and is told in the log', async () => {
  const closed: string[] = [];
  const logged: LogEntry[] = [];
  const log = createLog(
    'box',
    () => 0,
    (entry) => logged.push(entry),
  );
  await closeEach(
    [
      () => void closed.push('box'),
      () => Promise.reject(new AetherError('DISK_GONE', 'the disk is away')),
      () => {
        throw new Error('no page');
      },
      async () => void closed.push('broker'),
    ],
    log,
  );
  assert.deepEqual(closed, ['broker', 'box']);
  assert.deepEqual(
    logged.map(({ level, fields }) => [level, fields.reason]),
    [
      ['error', 'no page'],
      ['error', 'DISK_GONE: the disk is away'],
    ],
  );
});

test('whoever asked hears that it has ended, though its lights cannot be closed', async () => {
  const life = new BoxLife();
  const ended = life.end('shutdown');
  life.onClosed(() => {
    throw new Error('no lights');
  });
  assert.throws(() => life.closed(), /no lights/);
  await ended;
});
