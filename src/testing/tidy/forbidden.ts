import { floors, isComposition, isProduction, isProgram } from './floors.ts';
import type { SourceFile } from './source-file.ts';
import type { Token } from './tokens.ts';

export const linesMax = 400;

interface Use {
  readonly token: Token;
  readonly before: string;
  readonly next: string;
  readonly afterNext: string;
}

interface ForbiddenName {
  readonly what: string;
  readonly instead: string;
  readonly matches: (use: Use) => boolean;
  /** Files that start a program may use it. */
  readonly programsMay?: boolean;
}

const clock = 'take the time from the Clock port';
const entropy = 'draw from the Entropy port';
const isGlobal = ({ before, next }: Use) => before !== '.' && before !== '?.' && next !== ':';

const forbiddenNames: readonly ForbiddenName[] = [
  { what: 'Date.now', instead: clock, matches: (use) => isGlobal(use) && reads(use, 'Date', '.', 'now') },
  {
    what: 'new Date() without an argument',
    instead: clock,
    matches: ({ token, before, next, afterNext }) =>
      token.text === 'Date' && before === 'new' && (next !== '(' || afterNext === ')'),
  },
  {
    what: 'Math.random',
    instead: entropy,
    matches: (use) => isGlobal(use) && reads(use, 'Math', '.', 'random'),
  },
  {
    what: 'a random source of its own',
    instead: entropy,
    matches: ({ token }) => ['getRandomValues', 'randomUUID'].includes(token.text),
  },
  {
    what: 'a timer of its own',
    instead: 'use after() of the Clock port',
    matches: (use) => isGlobal(use) && /^set(Timeout|Interval|Immediate)$/.test(use.token.text),
  },
  { what: 'performance', instead: clock, matches: (use) => isGlobal(use) && reads(use, 'performance', '.') },
  {
    what: 'process',
    instead: 'take what it tells as an argument from main.ts',
    matches: (use) => isGlobal(use) && (reads(use, 'process', '.') || reads(use, 'process', '[')),
    programsMay: true,
  },
  {
    what: 'console',
    instead: 'write to the Log, or to the terminal that was handed in',
    matches: (use) => isGlobal(use) && reads(use, 'console', '.'),
    programsMay: true,
  },
  {
    what: 'a network call of its own',
    instead: 'use a port',
    matches: ({ token, before, next }) =>
      (token.text === 'fetch' && next === '(' && ['await', '=', 'return', '(', ',', '=>'].includes(before)) ||
      (['WebSocket', 'XMLHttpRequest', 'EventSource'].includes(token.text) && before === 'new'),
  },
];

function reads({ token, next, afterNext }: Use, ...texts: readonly string[]): boolean {
  const [name, sign, property] = texts;
  return token.text === name && next === sign && (property === undefined || afterNext === property);
}

/** Names that make a program depend on when, where and with what luck it runs. */
export function checkForbiddenNames(file: SourceFile): readonly string[] {
  if (!isProduction(file.path) || file.path.startsWith('src/platform/')) return [];
  const textAt = (index: number) => file.tokens[index]?.text ?? '';
  return file.tokens.flatMap((token, index) => {
    if (token.kind !== 'name') return [];
    const use = { token, before: textAt(index - 1), next: textAt(index + 1), afterNext: textAt(index + 2) };
    return forbiddenNames
      .filter(({ matches, programsMay }) => matches(use) && !(programsMay === true && isProgram(file.path)))
      .map(({ what, instead }) => `${file.path}:${token.line} uses ${what}: ${instead}`);
  });
}

/** Folders that invite anything (`utils`), and folders without a floor. */
export function checkPlace({ path }: SourceFile): readonly string[] {
  const name = path.split('/').find((part) => /^(utils?|common|helpers?|misc)(\.ts)?$/.test(part));
  if (name !== undefined)
    return [`${path} is in ${name}, which could hold anything: name it after what it does`];
  if (!/^(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(ts|mjs)$/.test(path))
    return [`${path} is not in kebab-case`];
  const [top, floor = '', below] = path.split('/');
  if (top !== 'src' || floor === 'testing' || isComposition(path) || isTest(floor)) return [];
  if (below !== undefined && Object.hasOwn(floors, floor)) return [];
  return [`${path} stands on no floor: src/testing/tidy/floors.ts lists them`];
}

function isTest(name: string): boolean {
  return name.endsWith('.test.ts');
}

export function checkLength({ path, text }: SourceFile): readonly string[] {
  const lineCount = text.split('\n').length - 1;
  if (lineCount <= linesMax) return [];
  return [`${path} has ${lineCount} lines: over ${linesMax}, split it by meaning`];
}

/** `TODO(why it waits): what` is the only form that may stay. */
export function checkTodos({ path, comments }: SourceFile): readonly string[] {
  return comments.flatMap(({ text, line }) =>
    [...text.matchAll(/\b(TODO|FIXME|XXX|HACK)\b(\([^)]*\s[^)]*\): \S)?/g)]
      .filter((match) => match[2] === undefined)
      .map(
        (match) => `${path}:${line} ${match[1]} without a reason: do it, or write TODO(why it waits): what`,
      ),
  );
}
