import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { aetherCommand, type JsonObject } from '../lan/box-process.ts';
import { assertTold, stopAtEnd, WholePool } from './whole-boxes.ts';

let pool: WholePool;

before(async () => {
  pool = await WholePool.start('badaether', 1);
  await pool.keep();
});

stopAtEnd(() => pool);

/** Every line of a `--json` run, each of which must be JSON. */
async function jsonLines(
  words: readonly string[],
): Promise<{ exitCode: number; lines: readonly JsonObject[] }> {
  const { exitCode, stdout } = await pool.aether.run([...words, '--json'], { mayFail: true });
  const lines = stdout.trimEnd().split('\n');
  return { exitCode, lines: lines.map((line) => JSON.parse(line) as JsonObject) };
}

const isRoot = process.getuid?.() === 0;

test('a remote path with .. or NUL, or that is none, is refused before a box is asked', async () => {
  const file = pool.write('path', { file: 'x' });
  for (const path of ['/a/../b', '/..', '/a//b', '/./a', 'relative', `/${'x'.repeat(256)}`]) {
    assertTold(await pool.refused(['ls', path]), 'PATH_INVALID', 2, /Use a path such as/);
  }
  for (const words of [
    ['get', '/a/..', '/tmp'],
    ['rm', '/a/..'],
    ['put', file, '/a/..'],
  ]) {
    assertTold(await pool.refused(words), 'PATH_INVALID', 2, /Use a path such as/);
  }
  // No program can be given NUL as an argument; what a desktop of another make sends is in frames.slow.test.ts.
  await pool.verifyServing();
});

test('an unreadable source file is named and left out; the rest is stored', async (t) => {
  const folder = pool.write('unreadable', { good: 'good', bad: 'secret' });
  chmodSync(join(folder, 'bad'), 0);
  if (!isRoot) {
    const { exitCode, lines } = await jsonLines(['put', folder]);
    assert.equal(exitCode, 3);
    assert.ok(lines.some(({ warning, path }) => warning === 'LOCAL_DENIED' && path === join(folder, 'bad')));
    return;
  }
  chmodSync(pool.folder, 0o755);
  const home = join(pool.folder, 'desktop');
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  if (spawnSync(asNobody[0]!, [...asNobody.slice(1), aetherCommand, '--version']).status !== 0) {
    return t.skip('root reads everything, and setpriv cannot be somebody else here');
  }
  execFileSync('chown', ['-R', '65534:65534', home]);
  t.after(() => execFileSync('chown', ['-R', '0:0', home]));
  const [program, ...words] = asNobody;
  const run = spawnSync(program!, [...words, aetherCommand, 'put', folder, '--json', '--home', home]);
  assert.equal(run.status, 3, String(run.stdout) + String(run.stderr));
  assert.match(String(run.stdout), /"warning":"LOCAL_DENIED","path":".*\/bad".*"skipped":true/);
  pool.acknowledged('unreadable/good', Buffer.from('good'));
  await pool.verifyServing();
});

test('sockets, pipes, devices and loops are left out; links, odd names, holes and nothing at all are kept', async (t) => {
  const names = [
    'two\nlines',
    'emoji 🧺',
    'é',
    'e\u0301',
    '-dash',
    'x'.repeat(255),
    ' ',
    'back\\slash',
    '\u202egnp',
  ];
  const files = Object.fromEntries(names.map((name) => [name, name]));
  const folder = pool.write('odd', { ...files, empty: '' });
  truncateSync(join(pool.write('odd', { sparse: 'x' }), 'sparse'), 50_000_000);
  symlinkSync('.', join(folder, 'loop'));
  symlinkSync('link2', join(folder, 'link1'));
  symlinkSync('link1', join(folder, 'link2'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer().listen(join(folder, 'socket'));
  t.after(() => server.close());
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff, 0xfe])]), 'no Unicode');
  const { exitCode, lines } = await jsonLines(['put', folder, '/dev/null', '/']);
  assert.equal(exitCode, 3);
  const leftOut = lines.filter(({ skipped }) => skipped === true).map(({ warning }) => warning);
  assert.deepEqual(leftOut.sort(), [
    'PATH_INVALID',
    ...Array.from({ length: 3 }, () => 'SOURCE_UNSUPPORTED'),
  ]);
  for (const name of names) pool.acknowledged(`odd/${name}`, Buffer.from(name));
  await pool.verifyServing();
  assert.equal(statSync(join(pool.folder, 'back', 'odd', 'sparse')).size, 50_000_000);
  assert.equal(readlinkSync(join(pool.folder, 'back', 'odd', 'loop')), '.');
  const { stdout } = await pool.aether.run(['ls', '/odd']);
  assert.ok(
    stdout.includes('two\ufffdlines\n') && !stdout.includes('\u202e'),
    'no name can draw on the terminal',
  );
});

test('SIGINT during a put ends it with status 130 at once, and leaves nothing behind', async () => {
  const files: Record<string, Uint8Array> = {};
  for (let index = 0; index < 40; index++) files[`${index}`] = pool.bytes(2_000_000);
  const folder = pool.write('interrupted', files);
  // Holes that take many seconds to read: nothing of the put is over before its first line is.
  truncateSync(join(pool.write('interrupted', { last: '' }), 'last'), 20_000_000_000);
  const env = { ...process.env, AETHER_HOME: pool.homePath };
  const put = spawn(aetherCommand, ['put', folder, '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((done) => put.once('close', done));
  let sentMs = 0;
  let said = '';
  put.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (sentMs === 0) {
      sentMs = performance.now();
      put.kill('SIGINT');
    }
  });
  assert.equal(await ended, 130);
  assert.ok(performance.now() - sentMs < 3000);
  for (const line of said.trimEnd().split('\n')) JSON.parse(line);
  assert.match(said, /"error":"INTERRUPTED"/);
  await pool.verifyServing();
});

test('3,000 small files are stored and listed; a reader that has seen enough ends the list without a word', async () => {
  const files: Record<string, string> = {};
  for (let index = 0; index < 3000; index++) files[`file ${index}`] = `${index}`;
  const { exitCode, lines } = await jsonLines(['put', pool.write('many', files)]);
  assert.equal(exitCode, 0);
  assert.equal(lines.at(-1)?.files, 3000);
  const list = `AETHER_HOME='${pool.homePath}' '${aetherCommand}' ls /many | head -1`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${list}`], { encoding: 'utf8' });
  assert.equal(stdout, 'file 0\n');
  assert.equal(stderr, '');
});

test('get: into a folder, over a file, of one file, over a folder, and where nothing may be written', async () => {
  const folder = pool.write('tree', { 'a/one': '1', two: '2' });
  await pool.aether.run(['put', folder]);
  const back = join(pool.folder, 'got');
  mkdirSync(back);
  writeFileSync(join(back, 'two'), 'an older one, which is longer');
  await pool.aether.run(['get', '/tree/two', back]);
  assert.equal(readFileSync(join(back, 'two'), 'utf8'), '2');
  await pool.aether.run(['get', '/tree', back]);
  assert.equal(readFileSync(join(back, 'tree', 'a', 'one'), 'utf8'), '1');
  await pool.aether.run(['get', '/tree/two', join(back, 'renamed')]);
  assert.equal(readFileSync(join(back, 'renamed'), 'utf8'), '2');
  mkdirSync(join(back, 'taken', 'two'), { recursive: true });
  const taken = await jsonLines(['get', '/tree/two', join(back, 'taken')]);
  assert.equal(taken.exitCode, 3);
  assert.equal(taken.lines[0]?.warning, 'IS_A_DIRECTORY');
  assertTold(await pool.refused(['get', '/nothing', back]), 'PATH_NOT_FOUND', 4, /aether ls/);
  assert.deepEqual(
    readdirSync(back).filter((name) => name.endsWith('.aether-part')),
    [],
  );
  const nowhere = await jsonLines(['get', '/tree/two', join(back, 'no', 'folder')]);
  assert.notEqual(nowhere.exitCode, 0);
  assert.equal(existsSync(join(back, 'no')), false);
});

test('rm of a folder with something in it says how; with --recursive it goes', async () => {
  await pool.aether.run(['put', pool.write('filled', { file: 'x' })]);
  assertTold(await pool.refused(['rm', '/filled']), 'NOT_EMPTY', 1, /aether rm/);
  assertTold(await pool.refused(['rm', '/']), 'USAGE', 2, /aether rm --help/);
  assert.equal((await jsonLines(['rm', '/filled', '--recursive'])).exitCode, 0);
  assertTold(await pool.refused(['ls', '/filled']), 'PATH_NOT_FOUND', 4, /aether ls/);
  await pool.verifyServing();
});

test('a full disk, of the pool and of this computer: status 7, and what was acknowledged is whole', async (t) => {
  if (!isRoot || process.platform !== 'linux')
    return t.skip('a small file system (tmpfs) takes root and Linux');
  const small = join(pool.folder, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small]);
  const full = await WholePool.start('fullpool', 0);
  t.after(async () => {
    await full.stop();
    execFileSync('umount', ['-l', small]);
  });
  await full.addBox('box0', [small]);
  await full.keep();
  const files: Record<string, Uint8Array> = {};
  for (let index = 0; index < 40; index++) files[`${index}`] = full.bytes(1_000_000);
  const told = await full.refused(['put', full.write('large', files)]);
  assertTold(told, 'POOL_FULL', 7, /add a disk or a box/);
  await full.verify();
  const { conditions } = (await full.status('box0')) as { conditions: JsonObject[] };
  assert.ok(conditions.some(({ code }) => code === 'DISK_FULL'));
  await full.boxes[0]!.kill();
  await full.restart(0);
  await full.verify();

  const target = join(pool.folder, 'small target');
  mkdirSync(target);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', target]);
  t.after(() => execFileSync('umount', ['-l', target]));
  await pool.aether.run(['put', pool.write('big', { file: pool.bytes(3_000_000) })]);
  assertTold(await pool.refused(['get', '/big', target]), 'LOCAL_FULL', 7, /Free some space/);
  assert.deepEqual(readdirSync(join(target, 'big')), []);
  await pool.verifyServing();
});

test('command lines that make no sense have status 2 and say where to look', async () => {
  const home = join(pool.folder, 'nobody');
  const wrong = [
    ['put'],
    ['get', '/a'],
    ['frobnicate'],
    ['ls', '--lnog'],
    ['claim'],
    ['ls', '/a', '/b'],
    ['rm'],
  ];
  for (const words of wrong) {
    assertTold(await pool.refused([...words]), 'USAGE', 2, /aether .*--help/);
  }
  const stranger = spawnSync(aetherCommand, ['ls', '--json', '--home', home], { encoding: 'utf8' });
  assert.equal(stranger.status, 6);
  assert.match(stranger.stdout, /"error":"NO_POOL".*aether claim/);
  rmSync(home, { recursive: true, force: true });
});
