import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { root } from '../firmware/paths.ts';
import { thisMachine } from '../scripts/lan/processes.ts';
import { Pty } from '../src/testing/pty.ts';

const runner = join(import.meta.dirname, 'run.ts');

/** A run of tests on a board whose serial line nobody answers. */
const fakeRun = `
  import { runAlone } from '${join(import.meta.dirname, 'run-alone.ts')}';
  const test = (name, run) => ({ name, needs: [], run });
  const tests = [
    test('it passes', async () => 'well'),
    { ...test('it is long', async () => 'well'), isLong: true },
    test('it hangs', () => new Promise(() => setInterval(() => {}, 100))),
    test('it comes after', async () => 'well'),
  ];
  const options = { images: undefined, processors: 1, short: true, again: true, timeoutMs: 300 };
  await runAlone([{ name: 'fake', tests }], { ...options, target: process.argv[2] }, undefined);
`;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'aether-run-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function run(program: string, words: readonly string[]) {
  const { exitCode, stdout, stderr } = await thisMachine.run(process.execPath, [program, ...words], {
    // Or node's runner would take the one in there for a part of itself.
    env: { NODE_TEST_CONTEXT: '' },
    timeoutMs: 60_000,
    mayFail: true,
  });
  return { exitCode, stdout, stderr };
}

test('a test that does not end is the last one: none runs beside it, each that did not run has failed, and what was left out is named', async (t) => {
  const folder = folderOf(t);
  const line = Pty.open();
  t.after(() => {
    line.close();
    rmSync(join(root, 'var/hw-tests/fake-it-hangs.log'), { force: true });
  });
  const board = join(folder, 'board.json');
  writeFileSync(
    board,
    JSON.stringify({ name: 'a board', serial: { path: line.path }, address: '192.0.2.7' }),
  );
  const program = join(folder, 'run.mjs');
  writeFileSync(program, fakeRun);
  const { exitCode, stdout } = await run(program, [board]);
  assert.equal(exitCode, 1, stdout);
  assert.match(stdout, /✔ .*fake: it passes/);
  assert.match(stdout, /✘ .*fake: it hangs\n +no end after/);
  assert.match(stdout, /✘ .*fake: it comes after\n +not run: "fake: it hangs" did not end/);
  assert.match(stdout, /– .*fake: it is long\n +Left out by --short\./);
  assert.match(stdout, /1 passed, 2 failed, 1 skipped/);
});

test('where there is no target each test has failed, and the report says why', async (t) => {
  const target = join(folderOf(t), 'board.json');
  writeFileSync(target, '{"name":"a board","serial":{"path":"/dev/no-such-line"}}');
  const { exitCode, stdout } = await run(runner, ['--target', target, '--suite', 'pool']);
  assert.equal(exitCode, 1, stdout);
  assert.match(stdout, /not run: there is no target: .*no-such-line/);
  assert.match(stdout, /0 passed, 1 failed/);
});

test('when no test is chosen, or an option is mistaken, nothing is run and the exit code is 2', async () => {
  const told = async (...words: readonly string[]) => {
    const { exitCode, stderr } = await run(runner, ['--target', 'qemu', ...words]);
    assert.equal(exitCode, 2, stderr);
    return stderr;
  };
  assert.match(await told('--only', 'serail'), /Nothing was tested: no test has "serail" in its name/);
  assert.match(await told('--suite', 'smok'), /There is no suite smok, but smoke, network/);
  assert.match(await told('--jobs', 'two'), /--jobs two: a number was expected/);
});
