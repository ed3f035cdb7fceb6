// What `aether` does when nobody reads what it says, or the disk that it is kept on is full: the program itself, in a
// process of its own, with boxes of this one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Box } from '../box.ts';
import { startListeningBox } from '../testing/listening-box.ts';
import { exitCodes } from './exit-codes.ts';
import { unshownWordsPath } from './recovery-words.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));
const linux = { skip: process.platform === 'linux' ? false : 'these ends of a program are those of Linux' };
const files = 40;
/** Takes longer than the others, so that they are told of first. */
const largeBytes = 24 * 2 ** 20;
const boxes: Box[] = [];
let folder = '';
let home = '';
let photos = '';
let large = '';

/** Read to its end, a pipe whose reader has left, or a file. */
type Stdout = 'read' | 'left' | { readonly path: string };

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

function aether(stdout: Stdout, ...words: string[]): Promise<Outcome> {
  return run(stdout, [process.execPath, '--disable-warning=ExperimentalWarning', program, ...words]);
}

async function run(stdout: Stdout, [command = '', ...words]: string[]): Promise<Outcome> {
  const file = typeof stdout === 'object' ? openSync(stdout.path, 'a') : undefined;
  const child = spawn(command, words, {
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
    env: { ...process.env, AETHER_HOME: home },
  });
  if (file !== undefined) closeSync(file);
  if (stdout === 'left') child.stdout?.destroy();
  let out = '';
  let error = '';
  child.stdout?.on('data', (bytes) => {
    out += bytes;
  });
  child.stderr?.on('data', (bytes) => {
    error += bytes;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, out, error };
}

async function newBox(name: string): Promise<readonly string[]> {
  const { box, address, code } = await startListeningBox(name);
  boxes.push(box);
  return [address, '--code', code ?? ''];
}

/** The home of a desktop that has claimed nothing yet, and the words of its first claim. */
async function firstClaim(name: string): Promise<{ readonly kept: string; readonly words: string[] }> {
  const at = join(folder, name);
  return { kept: join(at, unshownWordsPath), words: ['claim', ...(await newBox(name)), '--home', at] };
}

async function filesStored(remote: string): Promise<number> {
  const { out } = await aether('read', 'ls', '--json', remote);
  return (JSON.parse(out) as unknown[]).length;
}

before(async () => {
  if (linux.skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'aether-main-'));
  home = join(folder, 'home');
  photos = join(folder, 'photos');
  mkdirSync(photos);
  for (let index = 0; index < files; index++) writeFileSync(join(photos, `${index}.jpg`), `${index}`);
  large = join(folder, 'large');
  writeFileSync(large, randomBytes(largeBytes));
  const claimed = await aether('read', 'claim', ...(await newBox('first')));
  assert.equal(claimed.status, exitCodes.done, claimed.error);
  assert.match(claimed.out, /24 words/);
  assert.ok(!existsSync(join(home, unshownWordsPath)));
});

after(async () => {
  for (const box of boxes) await box.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a command that just reads ends quietly when its reader has seen enough', linux, async () => {
  for (const words of [['ls'], ['metrics', '--json'], ['--help']]) {
    assert.deepEqual(await aether('left', ...words), { status: exitCodes.done, out: '', error: '' });
  }
});

test('one whose results find no room has failed, and says so', linux, async () => {
  for (const words of [['metrics'], ['--help', '--json']]) {
    const { status, error } = await aether({ path: '/dev/full' }, ...words);
    assert.equal(status, exitCodes.failed);
    assert.match(error, /^aether: standard output .*ENOSPC.*\(OUTPUT_FAILED\)\n$/);
  }
});

test('files are stored to the last one though nobody reads of them any more', linux, async () => {
  const { status, error } = await aether('left', 'put', '--json', photos, large, '/left');
  assert.equal(status, exitCodes.done);
  assert.match(error, /Only one box has it/);
  assert.equal(await filesStored('/left'), ['photos', 'large'].length);
  assert.equal(await filesStored('/left/photos'), files);
});

test('files are stored though the list of them finds no room, which is a failure', linux, async () => {
  const { status, error } = await aether({ path: '/dev/full' }, 'put', '--json', photos, '/full');
  assert.equal(status, exitCodes.failed);
  assert.match(error, /Only one box has it[\s\S]*ENOSPC.*\(OUTPUT_FAILED\)\n$/);
  assert.equal(await filesStored('/full/photos'), files);
});

test('an error keeps its own status, and is said where somebody may see it', linux, async () => {
  for (const command of ['rm', 'ls']) {
    const { status, error } = await aether({ path: '/dev/full' }, command, '--json', '/nothing');
    assert.equal(status, exitCodes.notFound);
    assert.match(error, /\(PATH_NOT_FOUND\)[\s\S]*\(OUTPUT_FAILED\)/);
  }
});

test('recovery words that nobody could be shown are kept', linux, async () => {
  for (const stdout of ['left', { path: '/dev/full' }] as const) {
    for (const more of [[], ['--json']]) {
      const { kept, words } = await firstClaim(`claim-${boxes.length}`);
      const { status, error } = await aether(stdout, ...words, ...more);
      assert.equal(status, exitCodes.failed);
      assert.match(error, /WORDS_UNSHOWN.*\n {2}.*aether status/);
      assert.ok(existsSync(kept));
    }
  }
});

test('recovery words of which only some found room are kept', linux, async () => {
  const { kept, words } = await firstClaim('almost-full');
  const path = join(folder, 'output');
  const roomBytes = 300;
  writeFileSync(path, 'x'.repeat(64 * 512 - roomBytes));
  const shell = ['sh', '-c', 'ulimit -f 64; exec "$@"', 'sh'];
  const { status, error } = await run({ path }, [...shell, process.execPath, program, ...words]);
  assert.equal(status, exitCodes.failed, error);
  assert.match(error, /WORDS_UNSHOWN/);
  assert.ok(existsSync(kept));
});
