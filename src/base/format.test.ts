import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  countOf,
  fitText,
  formatAge,
  formatBytes,
  formatDuration,
  formatGibibytes,
  formatTable,
  padText,
  printable,
  textWidth,
  wrapText,
} from './format.ts';

test('sizes take the largest binary unit that keeps them above one', () => {
  const sizes: readonly [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [872_303_000_000, '812.4 GiB'],
    [2 ** 41, '2.0 TiB'],
    [-5, '0 B'],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text);
});

test('a column of sizes is in GiB, and a little is not shown as nothing', () => {
  assert.equal(formatGibibytes(0), '0.0 GiB');
  assert.equal(formatGibibytes(1000), '<0.1 GiB');
  assert.equal(formatGibibytes(64 * 1024 ** 3), '64.0 GiB');
});

test('a duration is told in its two largest units', () => {
  const durations: readonly [number, string][] = [
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [125_000, '2 min 5 s'],
    [11_520_000, '3 h 12 min'],
    [4 * 86_400_000 + 7_200_000, '4 d 2 h'],
  ];
  for (const [durationMs, text] of durations) assert.equal(formatDuration(durationMs), text);
});

test('an age is told in words', () => {
  assert.equal(formatAge(-3), 'just now');
  assert.equal(formatAge(40_000), '40 seconds ago');
  assert.equal(formatAge(60_000), '1 minute ago');
  assert.equal(formatAge(3_700_000), '1 hour ago');
  assert.equal(formatAge(5 * 86_400_000), '5 days ago');
  assert.equal(countOf(1, 'box', 'boxes'), '1 box');
  assert.equal(countOf(0, 'box', 'boxes'), '0 boxes');
});

test('nothing that a terminal would obey is left in printable text', () => {
  assert.equal(printable('a\x1b[2Jb\r\nc\u009bd\u202ee'), 'a�[2Jb��c�d�e');
  assert.equal(printable('Käse 箱'), 'Käse 箱');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      assert.ok(!/[\x00-\x1f\x7f-\x9f]/.test(printable(text)));
    }),
  );
});

test('wide and combining characters are counted by the cells they take', () => {
  assert.equal(textWidth('abc'), 3);
  assert.equal(textWidth('箱'), 2);
  assert.equal(textWidth('e\u0301'), 1);
  assert.equal(fitText('箱箱箱', 5), '箱箱…');
  assert.equal(fitText('abcdef', 4), 'abc…');
  assert.equal(padText('7', 3, 'right'), '  7');
});

test('columns are aligned, numbers to the right, no space at the end of a line', () => {
  const columns = [{ title: 'disk' }, { title: 'free', align: 'right' }, { title: 'note' }] as const;
  assert.deepEqual(
    formatTable(
      columns,
      [
        ['disk1', '1.0 GiB', ''],
        ['d2', '812.4 GiB', 'ok'],
      ],
      80,
    ),
    ['disk        free  note', 'disk1    1.0 GiB', 'd2     812.4 GiB  ok'],
  );
});

test('a table that is too wide is cut in its flexible column', () => {
  const columns = [{ title: 'name', flexible: true }, { title: 'state' }];
  assert.deepEqual(formatTable(columns, [['a-very-long-name-indeed', 'ok']], 20), [
    'name           state',
    'a-very-long-…  ok',
  ]);
});

test('wrapped text loses no letter and no line is too wide', () => {
  assert.deepEqual(wrapText('one two three', 8), ['one two', 'three']);
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 4, max: 40 }), (text, width) => {
      const lines = wrapText(text, width);
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
      for (const line of lines) assert.ok(textWidth(line) <= width);
    }),
  );
});
