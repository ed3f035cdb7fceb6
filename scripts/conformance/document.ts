import { posix } from 'node:path';
import { type Chapter, chapters, type Line } from './lines.ts';
import { type NamedTest, type Outcome, proofOf } from './proofs.ts';

export const documentPath = 'docs/zeroconf-conformance.md';

/** The document that these outcomes make. */
export function conformanceDocument(outcomes: readonly Outcome[]): string {
  return `# Conformance of zero-conf

Made by \`npm run conformance\` of the names and results of tests: it cannot say more than they prove. What each line asks is in [lines.ts](../scripts/conformance/lines.ts); a test proves the lines that its name begins with. Tests with real peers on a real network (\`npm test\` as root) come on top of these.

${chapters.map((chapter) => chapterText(chapter, outcomes)).join('\n')}`;
}

function chapterText({ title, lines }: Chapter, outcomes: readonly Outcome[]): string {
  const rows = lines.map((line) => rowOf(line, outcomes)).join('\n');
  return `## ${title}\n\n| line | asks | proved by | result |\n|---|---|---|---|\n${rows}\n`;
}

function rowOf(line: Line, outcomes: readonly Outcome[]): string {
  const proofs = proofsOf(line, outcomes);
  const tests = proofs.map(({ file, name }) => {
    const link = posix.relative('docs', file);
    return `${proofOf(name)!.says} ([${posix.basename(file, '.test.ts')}](${link}))`;
  });
  return `| ${[line.id, line.asks, tests.join('<br>'), resultOf(proofs)].map(cell).join(' | ')} |`;
}

function resultOf(proofs: readonly Outcome[]): string {
  if (proofs.length === 0) return '**no test**';
  const bad = proofs.filter(({ result }) => result !== 'passes');
  if (bad.length === 0) return proofs.length === 1 ? 'passes' : `all ${proofs.length} pass`;
  return `**${bad.length} of ${proofs.length} do not pass**`;
}

/** In the order of files and names, whatever the order in which they ended. */
function proofsOf<T extends NamedTest>(line: Line, tests: readonly T[]): readonly T[] {
  return tests
    .filter(({ name }) => proofOf(name)?.ids.includes(line.id))
    .sort((a, b) => (a.file === b.file ? compare(a.name, b.name) : compare(a.file, b.file)));
}

/** Why these outcomes are not what the lines ask for, one sentence each. */
export function problemsOf(outcomes: readonly Outcome[]): readonly string[] {
  const lines = chapters.flatMap((chapter) => chapter.lines);
  const known = new Set(lines.map(({ id }) => id));
  const missing = lines
    .filter((line) => !proofsOf(line, outcomes).some(({ result }) => result === 'passes'))
    .map(({ id, asks }) => `${id} has no passing test: ${asks}`);
  const bad = outcomes
    .filter(({ name, result }) => result !== 'passes' && proofOf(name) !== undefined)
    .map(({ file, name, result }) => `${file}: “${name}” ${result}`);
  const strange = outcomes.flatMap(({ file, name }) =>
    (proofOf(name)?.ids ?? [])
      .filter((id) => !known.has(id) && !id.startsWith('RFC 3927'))
      .map((id) => `${file}: “${name}” proves ${id}, which scripts/conformance/lines.ts does not list`),
  );
  return [...missing, ...bad, ...strange];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
