import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StandardStream } from './standard-stream.ts';

function fixture() {
  const taken: string[] = [];
  const told: Error[] = [];
  let done: (failure?: Error) => void = () => {};
  const stream = new StandardStream(
    (text, then) => {
      taken.push(text);
      done = then;
    },
    (failure) => told.push(failure),
  );
  return { stream, taken, told, done: (failure?: Error) => done(failure) };
}

const full = new Error('full');

test('a text is written when the system has taken it, and not before', async () => {
  const { stream, done } = fixture();
  let written: boolean | undefined;
  const writing = stream.write('a').then((all) => {
    written = all;
  });
  await Promise.resolve();
  assert.equal(written, undefined);
  done();
  await writing;
  assert.equal(written, true);
  assert.equal(stream.failure, undefined);
});

test('after a failure, told once, everything is dropped', async () => {
  const { stream, taken, told, done } = fixture();
  const writing = stream.write('a');
  done(full);
  // A stream of Node tells by an event too.
  stream.fail(new Error('again'));
  assert.equal(await writing, false);
  assert.equal(await stream.write('b'), false);
  await stream.settled();
  assert.deepEqual([taken, told, stream.failure], [['a'], [full], full]);
});
