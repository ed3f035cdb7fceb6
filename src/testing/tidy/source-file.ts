import { posix } from 'node:path';
import { scan, type Token } from './tokens.ts';

export interface SourceFile {
  /** From the root of the tree, with slashes: `src/base/bytes.ts`. */
  readonly path: string;
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly comments: readonly Token[];
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

export interface Import {
  /** As written: `../base/bytes.ts`, `node:fs`, `lmdb`. */
  readonly specifier: string;
  /** The file it means, from the root of the tree; undefined for a package. */
  readonly target: string | undefined;
  /** The names taken from there; `*` stands for all of them. */
  readonly names: readonly string[];
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface Export {
  readonly name: string;
  readonly isType: boolean;
  readonly line: number;
}

/** What one TypeScript file says of itself, its imports and its exports. */
export function readSource(path: string, text: string): SourceFile {
  const { tokens, comments } = scan(text);
  return { path, text, tokens, comments, imports: findImports(path, tokens), exports: findExports(tokens) };
}

function findImports(path: string, tokens: readonly Token[]): readonly Import[] {
  const found: Import[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'name' || (token.text !== 'import' && token.text !== 'export')) continue;
    if (tokens[index - 1]?.text === '.') continue;
    const statement = readStatement(tokens, index);
    if (statement === undefined) continue;
    const { specifier } = statement;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ ...statement, target, line: token.line });
  }
  return found;
}

/** Reads `import … from 's'`, `export … from 's'`, `import 's'` and `import('s')` at `start`. */
function readStatement(
  tokens: readonly Token[],
  start: number,
): Pick<Import, 'specifier' | 'names' | 'typeOnly'> | undefined {
  const next = tokens[start + 1];
  if (tokens[start]!.text === 'import') {
    if (next?.kind === 'string') return { specifier: next.text, names: [], typeOnly: false };
    const argument = tokens[start + 2];
    if (next?.text === '(' && argument?.kind === 'string') {
      return { specifier: argument.text, names: ['*'], typeOnly: false };
    }
  }
  const wholeType = next?.text === 'type' && tokens[start + 2]?.text !== 'from';
  const clause: Token[] = [];
  for (let index = start + (wholeType ? 2 : 1); index < tokens.length; index++) {
    const token = tokens[index]!;
    const specifier = tokens[index + 1];
    if (token.text === 'from' && specifier?.kind === 'string') {
      return { specifier: specifier.text, ...readClause(clause, wholeType) };
    }
    if (token.kind !== 'name' && !['{', '}', ',', '*'].includes(token.text)) return undefined;
    clause.push(token);
  }
  return undefined;
}

/** Names of `a, { type b, c as d }` or `* as e`. */
function readClause(clause: readonly Token[], wholeType: boolean): Pick<Import, 'names' | 'typeOnly'> {
  const names: string[] = [];
  let valueCount = 0;
  let inBraces = false;
  for (let index = 0; index < clause.length; index++) {
    const token = clause[index]!;
    if (token.text === '{') inBraces = true;
    if (token.text === 'as') index++;
    else if (
      token.text === 'type' &&
      clause[index + 1]?.kind === 'name' &&
      clause[index + 1]!.text !== 'as'
    ) {
      names.push(clause[++index]!.text);
    } else if (token.kind === 'name' || token.text === '*') {
      names.push(token.kind === 'name' && !inBraces ? 'default' : token.text);
      valueCount++;
    }
  }
  return { names, typeOnly: wholeType || (names.length > 0 && valueCount === 0) };
}

const typeKeywords = new Set(['type', 'interface']);
const valueKeywords = new Set(['const', 'let', 'var', 'function', 'class', 'enum']);

function findExports(tokens: readonly Token[]): readonly Export[] {
  const found: Export[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.text !== 'export' || token.kind !== 'name' || tokens[index - 1]?.text === '.') continue;
    let at = index + 1;
    while (['declare', 'abstract', 'async'].includes(tokens[at]?.text ?? '')) at++;
    const keyword = tokens[at]?.text ?? '';
    if (keyword === 'default') found.push({ name: 'default', isType: false, line: token.line });
    else if (keyword === '{' || (keyword === 'type' && tokens[at + 1]?.text === '{')) {
      found.push(...exportedList(tokens, keyword === '{' ? at : at + 1, keyword === 'type'));
    } else if (typeKeywords.has(keyword) || valueKeywords.has(keyword)) {
      const named = tokens[tokens[at + 1]?.text === '*' ? at + 2 : at + 1];
      if (named?.kind === 'name')
        found.push({ name: named.text, isType: typeKeywords.has(keyword), line: token.line });
    }
  }
  return found;
}

function exportedList(tokens: readonly Token[], open: number, wholeType: boolean): readonly Export[] {
  const found: Export[] = [];
  for (let at = open + 1; at < tokens.length && tokens[at]!.text !== '}'; at++) {
    const isType = wholeType || tokens[at]!.text === 'type';
    if (tokens[at]!.text === 'type') at++;
    if (tokens[at + 1]?.text === 'as') at += 2;
    const { text, kind, line } = tokens[at]!;
    if (kind === 'name') found.push({ name: text, isType, line });
  }
  return found;
}
