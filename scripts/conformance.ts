// Runs the unit tests of zero-conf and writes docs/zeroconf-conformance.md of their names and results. With `--check`
// it writes nothing, and fails when the document is not what it would write or a line has no passing test.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { conformanceDocument, documentPath, problemsOf } from './conformance/document.ts';
import { type Outcome, testFiles } from './conformance/proofs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const outcomes = await runTests();
const text = conformanceDocument(outcomes);
const path = join(root, documentPath);
const problems = [...problemsOf(outcomes)];
if (process.argv.includes('--check')) {
  if (readFileSync(path, 'utf8') !== text)
    problems.push(`${documentPath} is not what the tests say: npm run conformance`);
} else {
  writeFileSync(path, text);
}
for (const problem of problems) console.error(`✖ ${problem}`);
console.log(`${problems.length === 0 ? '✔' : '✖'} ${outcomes.length} tests, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function runTests(): Promise<readonly Outcome[]> {
  const files = testFiles(root).map((file) => join(root, file));
  const found: Outcome[] = [];
  const note = (result: Outcome['result'], data: { name: string; file?: string }) => {
    found.push({ file: relative(root, data.file ?? '').replaceAll('\\', '/'), name: data.name, result });
  };
  const stream = run({ files, concurrency: true, execArgv: ['--disable-warning=ExperimentalWarning'] });
  stream.on('test:pass', (data) => note(isSkipped(data) ? 'was skipped' : 'passes', data));
  stream.on('test:fail', (data) => note('fails', data));
  stream.resume();
  await new Promise((resolve) => stream.once('end', resolve));
  return found;
}

function isSkipped({ skip, todo }: { skip?: string | boolean; todo?: string | boolean }): boolean {
  return [skip, todo].some((reason) => reason !== undefined && reason !== false);
}
