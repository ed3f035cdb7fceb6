import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { conformanceDocument, documentPath, problemsOf } from './conformance/document.ts';
import { chapters } from './conformance/lines.ts';
import { type Outcome, proofOf, testFiles, testsIn } from './conformance/proofs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const lines = chapters.flatMap((chapter) => chapter.lines);
const one = (name: string, result: Outcome['result'] = 'passes'): Outcome => {
  return { file: 'src/zeroconf/a.test.ts', name, result };
};

test('a test proves the lines that its name begins with, and sections go on with their document', () => {
  assert.deepEqual(proofOf('M2, M13: both: of them'), { ids: ['M2', 'M13'], says: 'both: of them' });
  assert.deepEqual(proofOf('M17, RFC 6763 §12.1, §12.2: x')?.ids, [
    'M17',
    'RFC 6763 §12.1',
    'RFC 6763 §12.2',
  ]);
  for (const name of ['a sentence: M1', 'M1 without a colon', 'M: x', 'M1,M2: x'])
    assert.equal(proofOf(name), undefined, name);
});

test('a line without a passing test, a failing or skipped test, and a line that nobody listed are problems', () => {
  const all = lines.map(({ id }) => one(`${id}: x`));
  assert.deepEqual(problemsOf(all), []);
  assert.match(problemsOf(all.slice(1)).join('\n'), /^L0 has no passing test[^\n]*$/);
  assert.match(problemsOf([...all, one('M3: y', 'fails')]).join('\n'), /^[^\n]*“M3: y” fails$/);
  assert.equal(problemsOf([...all.slice(1), one('L0: x', 'was skipped')]).length, 2);
  assert.match(problemsOf([...all, one('M99: x')]).join('\n'), /proves M99/);
  assert.match(problemsOf([...all, one('RFC 6763 §99: x')]).join('\n'), /proves RFC 6763 §99/);
});

test('the document shows every line with its tests in one order, and what does not pass', () => {
  const outcomes = [one('M3: b | c'), one('M3: a', 'fails'), one('M9: x')];
  const text = conformanceDocument(outcomes);
  assert.equal(text, conformanceDocument([...outcomes].reverse()));
  assert.ok(text.includes('a ([a](../src/zeroconf/a.test.ts))<br>b \\| c ('));
  assert.ok(text.includes('| **1 of 2 do not pass** |'));
  assert.equal(text.match(/\*\*no test\*\*/g)?.length, lines.length - 2);
});

test('no line is listed twice', () => {
  assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length);
});

test('the document names the tests there are: after a change of their names run npm run conformance', () => {
  const tests = testsIn(root, testFiles(root)).map((found) => ({ ...found, result: 'passes' as const }));
  assert.ok(tests.length > 100);
  const isCurrent = readFileSync(join(root, documentPath), 'utf8') === conformanceDocument(tests);
  assert.ok(isCurrent, `${documentPath} differs`);
});
