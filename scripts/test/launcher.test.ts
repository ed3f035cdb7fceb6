import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../bin/aether', import.meta.url));
let folder = '';
let tree = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'launcher-')));
  tree = join(folder, 'a tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  cpSync(launcher, join(tree, 'bin', 'aether'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

function installRuntime(): void {
  mkdirSync(join(tree, 'node_modules', '.bin'), { recursive: true });
  writeProgram(join(tree, 'node_modules', '.bin', 'node'), 'for argument; do echo "$argument"; done; exit 7');
}

function launch(path: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = { PATH: '/usr/bin:/bin', ...environment };
  return spawnSync(path, args, { cwd: folder, env, encoding: 'utf8' });
}

test('runs the program with the runtime of its tree, through links of links, and passes on what it was told', () => {
  installRuntime();
  mkdirSync(join(folder, 'links'));
  symlinkSync(join(tree, 'bin', 'aether'), join(folder, 'links', 'first'));
  symlinkSync('first', join(folder, 'links', 'second'));
  const { stdout, status } = launch('links/second', ['put', 'a b', '']);
  assert.deepEqual(stdout.split('\n').slice(-5), [join(tree, 'src/cli/main.ts'), 'put', 'a b', '', '']);
  assert.equal(status, 7);
});

test('called by the name of the box, runs the box within its memory', () => {
  installRuntime();
  symlinkSync('aether', join(tree, 'bin', 'aetherstore'));
  const { stdout } = launch(join(tree, 'bin', 'aetherstore'), ['--dir', 'x']);
  assert.deepEqual(stdout.split('\n').slice(-4), [join(tree, 'src/main.ts'), '--dir', 'x', '']);
  assert.match(stdout, /--max-old-space-size=/);
});

test('says what to run when nothing is installed', () => {
  const { stderr, status } = launch(join(tree, 'bin', 'aether'), []);
  assert.match(stderr, /npm --prefix '.*a tree' run setup/);
  assert.equal(status, 69);
});

test('takes a Node from the PATH where no runtime is packaged, if it is new enough', () => {
  mkdirSync(join(tree, 'node_modules'));
  writeFileSync(join(tree, 'node_modules', '.package-lock.json'), '{}');
  const answer = (major: number) => {
    writeProgram(join(folder, 'node'), `[ "$1" = -p ] && echo ${major} || echo "ran $*"`);
    return launch(join(tree, 'bin', 'aether'), ['ls'], { PATH: `${folder}:/usr/bin:/bin` });
  };
  assert.match(answer(24).stdout, /ran .*main\.ts ls/);
  assert.equal(answer(22).status, 69);
});
