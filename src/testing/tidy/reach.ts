import { posix } from 'node:path';
import { isProduction, isProgram, isTest } from './floors.ts';
import type { SourceFile } from './source-file.ts';

export type Tree = ReadonlyMap<string, SourceFile>;

/** Whether a person, npm or the compiler starts from `path`: everything that counts as used is used from here. */
function isEntry(path: string): boolean {
  return (
    isProgram(path) ||
    isTest(path) ||
    path.endsWith('.d.ts') ||
    !path.startsWith('src/') ||
    path === 'src/testing/simulator/main.ts'
  );
}

/** Files that no program and no other part's test reaches. A file's own test does not keep it alive. */
export function checkDeadFiles(tree: Tree): readonly string[] {
  const alive = new Set<string>();
  const waiting = [...tree.keys()].filter(isEntry);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (alive.has(path)) continue;
    alive.add(path);
    const own = path.replace(/(\.[a-z]+)?\.test\.ts$/, '.ts');
    waiting.push(...reachedFrom(tree, path).filter((target) => target !== own || !isTest(path)));
  }
  return [...tree.keys()]
    .filter((path) => path.startsWith('src/') && !alive.has(path))
    .map((path) => `${path} is used by nobody but its own test: wire it in or remove it`);
}

/** Imports, and files named by a relative path in a string (a worker, say). */
function reachedFrom(tree: Tree, path: string): readonly string[] {
  const file = tree.get(path)!;
  const named = file.tokens
    .filter(({ kind, text }) => kind === 'string' && /^\.{1,2}\/.*\.ts$/.test(text))
    .map(({ text }) => posix.join(posix.dirname(path), text));
  const imported = file.imports.map(({ target }) => target ?? '');
  return [...imported, ...named].filter((target) => tree.has(target));
}

/** Imports of files that do not exist. */
export function checkMissingFiles(tree: Tree): readonly string[] {
  return [...tree.values()].flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => target?.endsWith('.ts') && !tree.has(target))
      .map(({ target, line }) => `${path}:${line} imports ${target}, which does not exist`),
  );
}

/** Exported values that no other file takes, and exported types that nothing names. */
export function checkDeadExports(tree: Tree): readonly string[] {
  const taken = new Map<string, Set<string>>();
  for (const { imports } of tree.values()) {
    for (const { target, names } of imports) {
      if (target === undefined) continue;
      const known = taken.get(target) ?? new Set();
      taken.set(target, known);
      for (const name of names) known.add(name);
    }
  }
  return [...tree.values()].flatMap((file) => {
    const names = taken.get(file.path) ?? new Set();
    const isTyping = file.path.endsWith('.d.ts');
    if (!isProduction(file.path) || isProgram(file.path) || isTyping || names.has('*')) return [];
    return file.exports
      .filter(({ name, isType }) => !names.has(name) && !(isType && countName(file, name) > 1))
      .map(
        ({ name, line }) =>
          `${file.path}:${line} exports ${name}, which nobody imports: remove it, or the export`,
      );
  });
}

function countName({ tokens }: SourceFile, name: string): number {
  return tokens.filter(({ kind, text }) => kind === 'name' && text === name).length;
}

/** Circles of imports that remain when the program runs. */
export function checkCircles(tree: Tree): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1)
      found.push(`${[...trail.slice(start), path].join(' → ')} is a circle: part what both need from it`);
    if (start !== -1 || done.has(path)) return;
    for (const { target, typeOnly } of tree.get(path)?.imports ?? []) {
      if (target !== undefined && !typeOnly) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of tree.keys()) visit(path, []);
  return found;
}
