import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AetherError } from '../../base/errors.ts';
import { consoleIdleLockMs, consoleOutputBytesMax } from '../../base/face-limits.ts';
import { createLog } from '../../base/log.ts';
import type { ConsoleLineStyle } from '../../ports/terminal-line.ts';
import { foldStatus } from '../../status/appliance-status.ts';
import { healthyFacts } from '../../testing/appliance-facts.ts';
import { ConsoleFixture } from '../../testing/console-fixture.ts';
import { FakeClock, settle } from '../../testing/fake-clock.ts';
import { FakeConsoleLine } from '../../testing/fake-console-line.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { commands } from './commands.ts';
import { Console, type ConsoleEnd } from './console.ts';

function open(style: ConsoleLineStyle = 'plain') {
  const clock = new FakeClock();
  const line = new FakeConsoleLine(style);
  const { control, log: ring, context } = new ConsoleFixture();
  const console = new Console({ line, context }, { clock });
  const ends: ConsoleEnd[] = [];
  void console.ended.then((end) => ends.push(end));
  console.start();
  return { console, line, log: createLog('store', () => clock.wallMs(), ring.sink), control, ends, clock };
}

test('a pipe gets answers only, and its end lets the last line run', async () => {
  const { line, ends } = open();
  line.type('version\nversi');
  line.type('on');
  line.hangUp();
  await settle();
  assert.equal(line.written, 'AetherStore 0.1.0 on aether-3f2a\n'.repeat(2));
  assert.deepEqual(ends, ['hang-up']);
});

test('every command that reads answers with JSON of the same', async () => {
  const status = foldStatus(healthyFacts);
  for (const command of commands.filter(({ data }) => data !== undefined)) {
    const { line } = open();
    line.type(`${command.name} --json\n`);
    await settle();
    assert.ok(!line.written.includes('exit status'), line.written);
    const value = JSON.parse(line.written);
    if (command.name === 'status') assert.deepEqual(value, status);
  }
});

test('every line of every answer fits into 80 cells', async () => {
  const { line } = open();
  line.type('help\nstatus\ndisks\nnet\nnet multicast\npool\nboxes\nlog\npair\nversion\nhelp log\n');
  await settle();
  for (const text of line.written.split('\n')) assert.ok(text.length <= 80, text);
});

test('shutdown asks for the name, takes it from a script too, and refuses any other', async () => {
  const right = open();
  right.line.type('shutdown\naether-3f2a\n');
  await settle();
  assert.deepEqual(right.control.asked, ['shutdown']);
  const wrong = open();
  wrong.line.type('shutdown\nyes\n');
  await settle();
  assert.deepEqual(wrong.control.asked, []);
  assert.match(wrong.line.written, /Not shut down\.\n\(exit status 1\)\n$/);
});

test('shutdown without an answer does nothing', async () => {
  for (const give of [
    (line: FakeConsoleLine) => line.type('\x03'),
    (line: FakeConsoleLine) => line.hangUp(),
  ]) {
    const { line, control } = open();
    line.type('shutdown\n');
    await settle();
    give(line);
    await settle();
    assert.deepEqual(control.asked, []);
    assert.match(line.written, /Not shut down/);
  }
});

test('an error of the box is told with what to do, and the console goes on', async () => {
  const { line, control } = open();
  control.fail(new AetherError('PAIRING_LOCKED', 'pairing is locked', { help: 'Wait 14 min.' }));
  line.type('pair\nversion\n');
  await settle();
  assert.match(line.written, /^error: pairing is locked\nWait 14 min\.\n\(exit status 1\)\nAetherStore/);
});

test('log -f shows what is logged until Ctrl-C, and what was typed after that runs', async () => {
  const { line, log } = open();
  log.info('first');
  line.type('log -f\n');
  await settle();
  log.info('second', { volume: 'disk1' });
  line.type('lost\x03version\n');
  await settle();
  log.info('third');
  assert.match(
    line.written,
    /info store: first\n.*info store: second volume=disk1\nAetherStore 0\.1\.0.*\n$/,
  );
});

test('a command that does not obey Ctrl-C is left at the second', async () => {
  const { line, control, ends } = open();
  control.disks.retire = () => new Promise(() => {});
  line.type('disks retire disk1\n');
  await settle();
  line.type('aether-3f2a\n');
  await settle();
  line.type('\x03');
  await settle();
  assert.deepEqual(ends, []);
  line.type('\x03');
  await settle();
  assert.deepEqual(ends, ['interrupt']);
});

test('what a peer chose as its name cannot steer the terminal', async () => {
  const { line, log, control } = open('ansi');
  control.set({
    peers: [{ ...healthyFacts.peers[0]!, name: 'x\x1b]0;owned\x07\u202e', reachable: false }],
  });
  log.error('bad\x1b[2J', { peer: '\x1b[H' });
  line.type('status\rboxes\rlog\r');
  await settle();
  const sequences = line.written.split('\x1b').slice(1);
  for (const sequence of sequences) assert.match(sequence, /^\[(K|\d+C)/);
  assert.ok(!line.written.includes('\u202e'));
});

test('a flood while a command runs is kept up to its bound, and the console lives', async () => {
  const { line, control } = open('ansi');
  let finish = () => {};
  control.supportBundle = () =>
    new Promise((resolve) => {
      finish = () => resolve([]);
    });
  line.type('support\r');
  for (let count = 0; count < 32; count++) line.type('help\r'.repeat(10_000));
  finish();
  await settle();
  for (let turn = 0; turn < 14_000 && !line.written.endsWith('> '); turn++) await settle();
  const answers = line.written.split('what can be asked').length;
  assert.ok(answers > 1 && answers < 14_000, `${answers}`);
});

test('random bytes do not end the console unless they say so', async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const { line } = open('ansi');
    const bytes = new SeededEntropy(seed)
      .bytes(100_000)
      .map((byte) => (byte === 3 || byte === 4 ? 0x20 : byte));
    line.type(bytes);
    await settle();
    line.type('\x05\x15');
    for (let turn = 0; turn < 2000; turn++) await settle();
    line.written = '';
    line.type('\x05\x15version\r');
    await settle();
    assert.match(line.written, /AetherStore 0\.1\.0 on aether-3f2a/, `seed ${seed}`);
  }
});

/** Types as a person does who sees what comes of it. */
async function say(line: FakeConsoleLine, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    line.type(text);
    await settle();
    await settle();
  }
}

test('a command that runs on keeps the console no more open than one that has ended', async () => {
  const { line, control, clock } = open('ansi');
  control.pin = '1234';
  await say(line, 'log -f\r', '1234\r');
  await clock.run(consoleIdleLockMs);
  line.written = '';
  await say(line, '\x03', 'pin clear\r');
  assert.match(line.written, /PIN: $/);
  await say(line, 'wrong\r');
  assert.equal(control.pin, '1234');
});

test('what is typed while a command runs keeps the console open', async () => {
  const { line, control, clock } = open('ansi');
  control.pin = '1234';
  await say(line, 'log -f\r', '1234\r');
  await clock.run(consoleIdleLockMs - 1);
  await say(line, '\x03');
  await clock.run(consoleIdleLockMs - 1);
  await say(line, 'pin clear\r');
  assert.equal(control.pin, null);
});

test('what was typed ahead with the PIN given is done, however long the command before takes', async () => {
  const { line, control, clock } = open('ansi');
  control.pin = '1234';
  let finish = () => {};
  control.disks.retire = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  await say(line, 'disks retire disk1\r', '1234\r', 'aether-3f2a\r', 'identify off\r');
  await clock.run(2 * consoleIdleLockMs);
  finish();
  await settle();
  assert.deepEqual(control.asked, ['identify false']);
  await say(line, 'pin clear\r');
  assert.match(line.written, /PIN: $/);
});

test('a question that nobody answered in time is not answered by who comes next', async () => {
  const { line, control, clock } = open('ansi');
  control.pin = '1234';
  await say(line, 'reset factory\r', '1234\r');
  assert.match(line.written, /name: $/);
  await clock.run(consoleIdleLockMs);
  await say(line, 'aether-3f2a\r');
  assert.match(line.written, /Nothing was reset/);
  assert.deepEqual(control.asked, []);
});

test('the PIN itself may be given late, and is not shown', async () => {
  const { line, control, clock } = open('ansi');
  control.pin = '1234';
  await say(line, 'pin clear\r');
  await clock.run(2 * consoleIdleLockMs);
  await say(line, '1234\r');
  assert.equal(control.pin, null);
  assert.ok(!line.written.includes('1234'));
});

test('Ctrl-C leaves out the rest of an answer that nobody takes, and a hang-up ends the waiting', async () => {
  const { line, control, ends } = open('ansi');
  const lines = Array.from({ length: 20_000 }, (_, number) => `line ${number}`);
  control.supportBundle = async () => [{ name: 'log.txt', text: lines.join('\n') }];
  line.reads = false;
  await say(line, 'support\r');
  assert.ok(line.pending < consoleOutputBytesMax);
  await say(line, '\x03');
  assert.match(line.written, /\^C\r\n\(The rest is not shown\.\)\r\n.*> $/);
  line.take();
  await say(line, 'version\r');
  assert.match(line.written, /AetherStore 0\.1\.0 on aether-3f2a\r\n.*> $/);
  await say(line, 'support\r');
  line.hangUp();
  await settle();
  assert.deepEqual(ends, ['hang-up']);
  const written = line.written.length;
  line.take();
  await settle();
  assert.equal(line.written.length, written);
});

test('log -f shows more lines than wait at once, then goes on', async () => {
  const { line, log } = open('ansi');
  for (let count = 0; count < 100; count++) log.info('old', { text: 'x'.repeat(1000), count });
  line.reads = false;
  await say(line, 'log -f 100\r');
  for (let turn = 0; turn < 20; turn++) {
    line.take();
    await settle();
  }
  log.info('new');
  assert.equal(line.written.split('store: old').length - 1, 100);
  assert.match(line.written, /store: new\r\n$/);
});

test('a terminal that hangs up ends a command, and what was half typed is not run', async () => {
  const running = open('ansi');
  await say(running.line, 'log -f\r');
  running.line.hangUp();
  await settle();
  assert.deepEqual(running.ends, ['hang-up']);
  const typing = open('ansi');
  await say(typing.line, 'identify off');
  typing.line.hangUp();
  await settle();
  assert.deepEqual([typing.control.asked, typing.ends], [[], ['hang-up']]);
});
