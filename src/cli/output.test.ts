import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../base/errors.ts';
import { jsonOf, Output } from './output.ts';

function capture(json: boolean, columns?: number) {
  const said = { out: '', error: '' };
  const terminal = {
    out: async (text: string) => {
      said.out += text;
      return true;
    },
    error: async (text: string) => {
      said.error += text;
      return true;
    },
    outColumns: columns,
    errorColumns: columns,
    ask: async () => undefined,
  };
  return { said, output: new Output(terminal, json) };
}

const full = new AetherError('POOL_FULL', 'every box is full', { help: 'Add a disk.' });

test('an error for people: what, its code, what to do; nothing on standard output', () => {
  const { said, output } = capture(false);
  output.error(full);
  assert.deepEqual(said, { out: '', error: 'aether: every box is full (POOL_FULL)\n  Add a disk.\n' });
});

test('the same for programs is one line of JSON on standard output', () => {
  const { said, output } = capture(true);
  output.event({ acknowledged: 'two\nlines' });
  output.error(full);
  const lines = said.out.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { acknowledged: 'two\nlines' },
      { error: 'POOL_FULL', message: 'every box is full', help: 'Add a disk.' },
    ],
  );
});

test('a defect says that it is one', () => {
  const { said, output } = capture(true);
  output.error(new TypeError('no'));
  assert.match(said.out, /"error":"INTERNAL".*defect/);
});

test('a running state is wiped before anything else is said, and never shown to programs', () => {
  const shown = capture(false, 80);
  shown.output.progress('10 %');
  shown.output.result({}, ['done']);
  assert.deepEqual(shown.said, { out: 'done\n', error: '\r\x1b[K10 %\r\x1b[K' });
  const silent = capture(true, 80);
  silent.output.progress('10 %');
  assert.deepEqual(silent.said, { out: '', error: '' });
});

test('what a box answers becomes JSON: bytes in hexadecimal, large numbers as text', () => {
  const value = { id: new Uint8Array([1, 255]), n: 2n ** 60n, list: [null, true] };
  assert.deepEqual(jsonOf(value), { id: '01ff', n: '1152921504606846976', list: [null, true] });
});
