// Keeps the tree tidy: what the house rules say and a compiler does not check. Each rule is first shown to fail on a
// small example; then the tree itself is read.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkFloors, floors } from './tidy/floors.ts';
import { checkForbiddenNames, checkLength, checkPlace, checkTodos, linesMax } from './tidy/forbidden.ts';
import { checkDependencies, checkLockFile, checkScripts, checkTraces, type TextFile } from './tidy/papers.ts';
import {
  checkCircles,
  checkDeadExports,
  checkDeadFiles,
  checkMissingFiles,
  type Tree,
} from './tidy/reach.ts';
import { readSource, type SourceFile } from './tidy/source-file.ts';
import { scan } from './tidy/tokens.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const unreadFolders = new Set(['node_modules', '.git', 'var', 'dist', 'assembly']);
const textFile =
  /\.(ts|mjs|js|json|md|yml|yaml|sh|html|css|txt|dts|cmd|service|mount|conf|rules|network)$|(^|\/)(run|aether|\.npmrc|\.gitignore)$/;

function listFiles(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (unreadFolders.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? listFiles(path) : entry.isFile() ? [path] : [];
  });
}

function read(path: string): TextFile {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

function treeOf(files: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(files).map(([path, text]) => [path, readSource(path, text)]));
}

function assertNone(problems: readonly string[]): void {
  if (problems.length > 0) assert.fail(`${problems.length} to tidy up:\n  ${problems.join('\n  ')}`);
}

/** Whether `rule` objects to a file that holds `text`. */
function objects(
  rule: (file: SourceFile) => readonly string[],
  text: string,
  path = 'src/store/a.ts',
): boolean {
  return rule(readSource(path, text)).length > 0;
}

describe('the scanner', () => {
  const names = (text: string) =>
    scan(text)
      .tokens.filter(({ kind }) => kind === 'name')
      .map((token) => token.text);

  it('sees no code in comments, strings and regular expressions', () => {
    assert.deepEqual(names(`a; // b\n/* c */ 'd' + "e" + /f'g/.test(h)`), ['a', 'test', 'h']);
  });

  it('sees the code inside templates, nested ones too', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the string is the code to scan
    assert.deepEqual(names('`a ${b({ c: `d ${e} f` })} g` + h'), ['b', 'c', 'e', 'h']);
  });

  it('takes a slash after an operand for a division', () => {
    assert.deepEqual(names('a / b / c; d[0]! / e / f; (g) / h / i; return /j/'), [
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h',
      'i',
      'return',
    ]);
  });

  it('counts lines across strings, comments and templates', () => {
    const { tokens } = scan('/*\n\n*/ `\n` a');
    assert.equal(tokens.at(-1)?.line, 4);
  });
});

describe('a source file', () => {
  it('tells its imports with names, and which are types only', () => {
    const { imports } = readSource(
      'src/pool/a.ts',
      `import { type B, type C } from '../base/b.ts';\nimport d, { e as f, type G } from './d.ts';\nimport * as h from 'lmdb';\nexport { i } from './i.ts';\nimport type { J } from './j.ts';\nconst k = await import('./k.ts');\nexport * from './l.ts';`,
    );
    assert.deepEqual(
      imports.map(({ target, specifier, names, typeOnly }) => [target ?? specifier, names.join(), typeOnly]),
      [
        ['src/base/b.ts', 'B,C', true],
        ['src/pool/d.ts', 'default,e,G', false],
        ['lmdb', '*', false],
        ['src/pool/i.ts', 'i', false],
        ['src/pool/j.ts', 'J', true],
        ['src/pool/k.ts', '*', false],
        ['src/pool/l.ts', '*', false],
      ],
    );
  });

  it('tells its exports, types and values', () => {
    const { exports } = readSource(
      'src/pool/a.ts',
      'export const a = 1;\nexport async function b() {}\nexport type C = 1;\nexport abstract class D {}\nexport { e as f, type G };\nexport function* h() {}',
    );
    const told = exports.map(({ name, isType }) => (isType ? `type ${name}` : name));
    assert.deepEqual(told, ['a', 'b', 'type C', 'D', 'f', 'type G', 'h']);
  });
});

describe('each rule can fail', () => {
  it('floors: sideways, upwards, testing, unknown folders', () => {
    assert.ok(!objects(checkFloors, `import { a } from '../base/a.ts';`));
    assert.ok(objects(checkFloors, `import { a } from '../zeroconf/a.ts';`));
    assert.ok(objects(checkFloors, `import { a } from '../pool/a.ts';`));
    assert.ok(objects(checkFloors, `import type { A } from '../pool/a.ts';`));
    assert.ok(objects(checkFloors, `import { a } from '../testing/a.ts';`));
    assert.ok(!objects(checkFloors, `import { a } from '../testing/a.ts';`, 'src/store/a.test.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../zeroconf/a.ts';`, 'src/pool/a.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../device/a.ts';`, 'src/access/a.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../store/a.ts';`, 'src/platform/a.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../base/a.ts';`, 'src/utils/a.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../../scripts/a.ts';`));
    assert.ok(!objects(checkFloors, `import { a } from './pool/a.ts';`, 'src/box.ts'));
    assert.ok(objects(checkFloors, `import { a } from './testing/a.ts';`, 'src/box.ts'));
    assert.ok(objects(checkFloors, `import { a } from '../testing/a.ts';`, 'src/cli/a.ts'));
  });

  it('floors: packages and modules that touch the world, randomness of node:crypto', () => {
    for (const name of ['node:fs', 'node:child_process', 'lmdb', 'onoff', '@scope/new/part']) {
      assert.ok(objects(checkFloors, `import { a } from '${name}';`), name);
      assert.ok(!objects(checkFloors, `import { a } from '${name}';`, 'src/platform/a.ts'), name);
    }
    assert.ok(
      !objects(checkFloors, `import { createHash } from 'node:crypto'; import { decode } from 'cborg';`),
    );
    assert.ok(objects(checkFloors, `import { randomBytes } from 'node:crypto';`));
    assert.ok(!objects(checkFloors, `import { Worker } from 'node:worker_threads';`, 'src/seal-worker.ts'));
  });

  it('names: clocks, randomness, timers and the process', () => {
    const forbidden = [
      'Date.now()',
      'new Date()',
      'new Date;',
      'Math.random()',
      'setTimeout(a, 1)',
      'performance.now()',
    ];
    const worldly = [
      'process.env',
      'console.log(a)',
      'await fetch(a)',
      'crypto.getRandomValues(a)',
      'setImmediate(a)',
    ];
    for (const text of [...forbidden, ...worldly]) {
      assert.ok(objects(checkForbiddenNames, text), text);
      assert.ok(!objects(checkForbiddenNames, text, 'src/platform/a.ts'), text);
      assert.ok(!objects(checkForbiddenNames, text, 'src/store/a.test.ts'), text);
    }
    for (const text of [
      'new Date(wallMs)',
      'a.setTimeout(1)',
      '// Date.now()',
      `'Math.random'`,
      'interface A { process: B }',
    ]) {
      assert.ok(!objects(checkForbiddenNames, text), text);
    }
    assert.ok(!objects(checkForbiddenNames, 'process.argv', 'src/main.ts'));
    assert.ok(objects(checkForbiddenNames, 'Date.now()', 'src/main.ts'));
  });

  it('places, lengths and TODOs', () => {
    assert.ok(objects(checkPlace, '', 'src/store/utils.ts'));
    assert.ok(objects(checkPlace, '', 'src/store/ChunkStore.ts'));
    assert.ok(objects(checkPlace, '', 'src/stray.ts'));
    assert.ok(objects(checkPlace, '', 'src/novel/a.ts'));
    assert.ok(!objects(checkPlace, '', 'src/store/chunk-store.slow.test.ts'));
    assert.ok(objects(checkLength, '\n'.repeat(linesMax + 1)));
    assert.ok(!objects(checkLength, '\n'.repeat(linesMax)));
    assert.ok(objects(checkTodos, '// TODO: later'));
    assert.ok(!objects(checkTodos, '// TODO(until Node 26 is the runtime): use the new call'));
  });

  it('dead files, dead exports, missing files and circles', () => {
    const tree = treeOf({
      'src/main.ts': `import { a } from './store/a.ts';\nconst b = new URL('./store/worker.ts', import.meta.url);`,
      'src/store/a.ts': `import { c } from './c.ts';\nimport { gone } from './gone.ts';\nexport const a = c;\nexport const unused = 1;`,
      'src/store/c.ts': `import { a } from './a.ts';\nexport const c = () => a;\nexport interface D { d: D }\nexport type E = 1;`,
      'src/store/worker.ts': '',
      'src/store/dead.ts': 'export const dead = 1;',
      'src/store/dead.test.ts': `import { dead } from './dead.ts';`,
    });
    assert.match(checkDeadFiles(tree).join('\n'), /^src\/store\/dead\.ts is used by nobody[^\n]*$/);
    const exports = checkDeadExports(tree);
    assert.deepEqual(
      exports.map((line) => line.split(',')[0]),
      ['src/store/a.ts:4 exports unused', 'src/store/c.ts:4 exports E'],
    );
    assert.match(
      checkMissingFiles(tree).join('\n'),
      /^src\/store\/a\.ts:2 imports src\/store\/gone\.ts[^\n]*$/,
    );
    assert.match(
      checkCircles(tree).join('\n'),
      /^src\/store\/a\.ts → src\/store\/c\.ts → src\/store\/a\.ts[^\n]*$/,
    );
  });

  it('papers: traces of a machine, hosts, unnamed and floating dependencies, missing programs', () => {
    const traces = (text: string) => checkTraces({ path: 'a.md', text });
    // Written in parts, since this file is read by the rule as well.
    assert.equal(traces(`see ${['', 'home', 'ann', 'tree'].join('/')}`).length, 1);
    assert.equal(traces(`from ${['https:', '', 'registry.example.org'].join('/')}`).length, 1);
    assert.equal(traces('cd /home/you/files && ls /etc/fstab').length, 0);
    const lock = (packages: object) =>
      checkLockFile({ path: 'package-lock.json', text: JSON.stringify({ packages }) });
    assert.equal(lock({ 'node_modules/a': { resolved: 'x' } }).length, 1);
    assert.equal(lock({ 'node_modules/a': { optionalDependencies: { b: '1.0.0' } } }).length, 1);
    assert.equal(lock({ '': { optionalDependencies: { b: '1.0.0' } }, 'node_modules/b': {} }).length, 0);
    const settings = { dependencies: { a: '1.0.0', b: '^1.0.0' }, scripts: { start: 'node src/gone.ts' } };
    assert.equal(checkDependencies(settings, 'uses `b` for all').length, 2);
    assert.equal(checkScripts(settings, () => false).length, 1);
  });
});

describe('the tree', () => {
  const tree = new Map<string, SourceFile>();
  const texts: TextFile[] = [];

  before(() => {
    for (const path of listFiles()) {
      if (!textFile.test(path)) continue;
      const file = read(path);
      texts.push(file);
      if (/^(src|scripts|bench|firmware|hw-tests)\/.*\.(ts|mjs)$/.test(path))
        tree.set(path, readSource(path, file.text));
    }
    assert.ok(tree.size > 10, 'the tree was not found');
  });

  const perFile = (rule: (file: SourceFile) => readonly string[]) => () =>
    assertNone([...tree.values()].flatMap(rule));
  const settings = JSON.parse(read('package.json').text);

  it(`every import goes down the floors (${Object.keys(floors).join(', ')})`, perFile(checkFloors));
  it('time, randomness and the outer world come through ports', perFile(checkForbiddenNames));
  it('every file has its place and a name that tells what it holds', perFile(checkPlace));
  it(`no file is longer than ${linesMax} lines`, perFile(checkLength));
  it('no TODO stands without a reason', perFile(checkTodos));
  it('every imported file exists', () => assertNone(checkMissingFiles(tree)));
  it('no file is dead', () => assertNone(checkDeadFiles(tree)));
  it('no export is dead', () => assertNone(checkDeadExports(tree)));
  it('no imports go in circles', () => assertNone(checkCircles(tree)));
  it('nothing names a machine or a registry', () => assertNone(texts.flatMap(checkTraces)));
  it('the lock file serves every system from any registry', () =>
    assertNone(checkLockFile(read('package-lock.json'))));
  it('every dependency is pinned and has its reason', () =>
    assertNone(checkDependencies(settings, read('docs/dependencies.md').text)));
  it('every npm script starts a program that exists', () =>
    assertNone(checkScripts(settings, (path) => existsSync(join(root, path)))));
});
