import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rangeOf } from './http-range.ts';

test('one range of bytes is served as RFC 9110 §14 has it, anything else as the whole file', () => {
  const cases: readonly (readonly [string | undefined, number, ReturnType<typeof rangeOf>])[] = [
    [undefined, 100, undefined],
    ['bytes=0-99', 100, { offset: 0, length: 100 }],
    ['bytes=10-19', 100, { offset: 10, length: 10 }],
    ['bytes=90-', 100, { offset: 90, length: 10 }],
    ['bytes=90-1000', 100, { offset: 90, length: 10 }],
    ['bytes=-10', 100, { offset: 90, length: 10 }],
    ['bytes=-1000', 100, { offset: 0, length: 100 }],
    ['bytes=100-', 100, 'unsatisfiable'],
    ['bytes=-0', 100, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=20-10', 100, undefined],
    ['bytes=-', 100, undefined],
    ['bytes=0-1,5-6', 100, undefined],
    ['lines=0-1', 100, undefined],
    ['bytes=99999999999999999999-', 100, undefined],
  ];
  for (const [header, size, range] of cases)
    assert.deepEqual(rangeOf(header, size), range, `${header} of ${size}`);
});
