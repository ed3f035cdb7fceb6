import { globSync, readFileSync } from 'node:fs';
import { readSource } from '../../src/testing/tidy/source-file.ts';

/** One test, as it stands in the source or as it ran. */
export interface NamedTest {
  /** From the root of the tree. */
  readonly file: string;
  readonly name: string;
}

export interface Outcome extends NamedTest {
  readonly result: 'passes' | 'fails' | 'was skipped';
}

/** A test and the lines that its name begins with. */
export interface Proof {
  readonly ids: readonly string[];
  /** The name without them. */
  readonly says: string;
}

const id = String.raw`(?:[LM]\d+|(?:RFC \d+ )?§\d+(?:\.\d+)*)`;
const named = new RegExp(`^(${id}(?:, ${id})*): (.+)$`, 's');

/** The unit tests of zero-conf: no root, no network, no waiting. */
export function testFiles(root: string): readonly string[] {
  return globSync('src/zeroconf/**/*.test.ts', { cwd: root })
    .filter((file) => !/\.(lan|slow)\.test\.ts$/.test(file))
    .sort();
}

/** What the tests of these files are called, by their source. */
export function testsIn(root: string, files: readonly string[]): readonly NamedTest[] {
  return files.flatMap((file) => {
    const { tokens } = readSource(file, readFileSync(`${root}/${file}`, 'utf8'));
    return tokens.flatMap(({ text }, index) => {
      const name = tokens[index + 2];
      const isTest = (text === 'test' || text === 'it') && tokens[index + 1]?.text === '(';
      return isTest && name?.kind === 'string' ? [{ file, name: unescaped(name.text) }] : [];
    });
  });
}

/** `M2, M3: …` proves two lines; a section goes on with the document before it: `RFC 6763 §6.1, §6.2: …`. */
export function proofOf(name: string): Proof | undefined {
  const match = named.exec(name);
  if (match === null) return undefined;
  let document = '';
  const ids = match[1]!.split(', ').map((part) => {
    document = /^RFC \d+/.exec(part)?.[0] ?? document;
    return part.startsWith('§') ? `${document} ${part}` : part;
  });
  return { ids, says: match[2]! };
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, '$1');
}
