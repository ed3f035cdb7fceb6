import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCbor } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';
import { errorTextCharsMax } from '../../base/limits.ts';
import { decodeError, encodeError } from './error-payload.ts';
import { decodeHello, encodeHello } from './hello.ts';

test('an error crosses the wire with its code, fields and help', () => {
  const error = new AetherError('POOL_FULL', 'full', { fields: { boxes: 2, all: true }, help: 'Add one.' });
  const { code, message, fields, help } = decodeError(encodeError(error));
  assert.deepEqual([code, message, fields, help], ['POOL_FULL', 'full', { boxes: 2, all: true }, 'Add one.']);
});

test('what a hostile peer writes is cut, and cannot draw on a terminal', () => {
  const hostile = {
    code: 'X_Y',
    message: `\x1b]0;title\x07${'a'.repeat(5000)}`,
    help: '\x1b[2J\u202e',
    fields: {},
  };
  const { message, help } = decodeError(encodeCbor(hostile));
  assert.equal(message.length, errorTextCharsMax);
  assert.doesNotMatch(message + help, /[\p{Cc}\p{Cf}]/u);
  const hello = decodeHello(
    encodeHello({ role: 'box', name: '\x1b[31mred\n', pool: undefined, state: '\x07' }),
  );
  assert.doesNotMatch(hello.name + hello.state, /\p{Cc}/u);
});

test('an explanation that cannot be read, or a code that is none, is INTERNAL', () => {
  for (const payload of [
    new Uint8Array(3),
    encodeCbor({ code: 'no code', message: '', help: '', fields: {} }),
  ]) {
    assert.equal(decodeError(payload).code, 'INTERNAL');
  }
});
