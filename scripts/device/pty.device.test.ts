import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '../../src/base/log.ts';
import { commands } from '../../src/device/console/commands.ts';
import { SerialConsole } from '../../src/device/console/serial-console.ts';
import { NodeClock } from '../../src/platform/node-clock.ts';
import { SerialLine } from '../../src/platform/serial-line.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { ConsoleFixture, consoleBoxes, consoleWallMs } from '../../src/testing/console-fixture.ts';
import { Pty } from '../../src/testing/pty.ts';
import { TerminalScreen } from '../../src/testing/terminal-screen.ts';

/*
 * The console on a real serial line: a pseudo-terminal, opened by @serialport/bindings-cpp as a box opens its UART. The
 * transcripts are those of src/device/console/transcripts, as far as they are made of keys alone.
 */
const transcripts = join(import.meta.dirname, '..', '..', 'src/device/console/transcripts');
const skip = process.platform === 'linux' ? false : 'pseudo-terminals are opened by the C library of Linux';
const quietMs = 120;

/** Real time, of the day that the transcripts were written on. */
const real = new NodeClock();
const clock: Clock = {
  wallMs: () => consoleWallMs,
  monotonicMs: () => real.monotonicMs(),
  after: (delayMs, action) => real.after(delayMs, action),
};

class SerialTest {
  readonly pty = Pty.open();
  readonly fixture: ConsoleFixture;
  readonly screen = new TerminalScreen(80);
  text = '';
  readonly #console: SerialConsole;
  #heardMs = performance.now();

  constructor(facts = consoleBoxes.healthy!, options: { readonly reads?: boolean } = {}) {
    this.fixture = new ConsoleFixture(facts);
    if (options.reads !== false) this.listen();
    const open = () => SerialLine.open({ path: this.pty.path, baud: 115_200, style: 'ansi' });
    const ports = { clock, log: silentLog };
    this.#console = new SerialConsole({ name: this.pty.path, open, context: this.fixture.context }, ports);
  }

  listen(): void {
    const decoder = new TextDecoder();
    this.pty.read((bytes) => {
      const text = decoder.decode(bytes, { stream: true });
      this.text += text;
      this.screen.write(text);
      this.#heardMs = performance.now();
    });
  }

  /** Resolves when nothing has been written for a moment. */
  async quiet(): Promise<void> {
    this.#heardMs = performance.now();
    while (performance.now() - this.#heardMs < quietMs) await delay(20);
  }

  async type(keys: string | Uint8Array): Promise<void> {
    await this.pty.type(keys);
    await this.quiet();
  }

  async prompt(): Promise<void> {
    for (let tries = 0; tries < 80; tries++) {
      if (this.text.endsWith('aether-3f2a> ')) return;
      await delay(25);
    }
    assert.fail(`no prompt: ${JSON.stringify(this.text.slice(-200))}`);
  }

  close(): void {
    this.#console.close();
    this.pty.close();
  }
}

function start(t: TestContext, ...options: ConstructorParameters<typeof SerialTest>): SerialTest {
  const serial = new SerialTest(...options);
  t.after(() => serial.close());
  return serial;
}

const keys: Readonly<Record<string, string>> = {
  enter: '\r',
  tab: '\t',
  up: '\x1b[A',
  left: '\x1b[D',
  backspace: '\x7f',
  'ctrl-c': '\x03',
};

/** Those on a terminal of 80 columns that obeys, in which nothing happens but what is typed. */
const playable = readdirSync(transcripts).filter((name) => {
  const [head = '', screen = ''] = readFileSync(join(transcripts, name), 'utf8').split('\n---\n');
  if (/^(style|columns):/m.test(head) || /\(ended: /.test(screen)) return false;
  return [...head.matchAll(/<([\w-]+)[^>]*>/g)].every(([, key]) => key! in keys);
});

test('every command of the console is in a transcript that is played over a real line', { skip }, () => {
  const heads = playable.map((name) => readFileSync(join(transcripts, name), 'utf8').split('\n---\n')[0]!);
  const typed = new Set(
    heads.flatMap((head) => head.split(/<enter>|^keys: /m).map((text) => text.trim().split(/\s/)[0]!)),
  );
  assert.deepEqual(
    commands.map(({ name }) => name).filter((name) => !typed.has(name)),
    [],
  );
});

for (const name of playable) {
  test(`over a real serial line the screen is as in transcripts/${name}`, { skip }, async (t) => {
    const [head = '', wanted = ''] = readFileSync(join(transcripts, name), 'utf8').split('\n---\n');
    const box = /^box: (.*)$/m.exec(head)![1]!;
    const serial = start(t, consoleBoxes[box]);
    await serial.prompt();
    for (const [, line] of head.matchAll(/^keys: (.*)$/gm)) {
      for (const piece of line!.split(/(<[^>]+>)/).filter((each) => each !== '')) {
        await serial.type(keys[/^<(.*)>$/.exec(piece)?.[1] ?? ''] ?? piece);
      }
    }
    await serial.quiet();
    const screen = serial.screen.lines().map((each) => each.trimEnd());
    assert.equal(`${screen.join('\n').trimEnd()}\n`, wanted);
  });
}

test('whoever comes next is greeted anew', { skip }, async (t) => {
  const serial = start(t);
  await serial.prompt();
  serial.text = '';
  await serial.type('\x04');
  await delay(1500);
  await serial.prompt();
  assert.match(serial.text, /AetherStore 0\.1\.0, box aether-3f2a/);
});

test('garbage, breaks and a megabyte without an end do no harm', { skip }, async (t) => {
  const serial = start(t);
  await serial.prompt();
  // A break arrives as zero bytes.
  await serial.type(new Uint8Array(1000));
  await serial.type(new Uint8Array(256).map((_, index) => index).filter((byte) => byte !== 3 && byte !== 4));
  await serial.type('\x15');
  await serial.pty.type('x'.repeat(1024 * 1024));
  await serial.type('\x15\x15version\r');
  await serial.prompt();
  assert.match(serial.text, /AetherStore 0\.1\.0 on aether-3f2a/);
});

test('a line that nobody reads stops nothing, and is there for who comes later', { skip }, async (t) => {
  const serial = start(t, consoleBoxes.healthy, { reads: false });
  await delay(300);
  for (let round = 0; round < 200; round++) {
    await serial.pty.type('help\r');
    await delay(5);
  }
  let turns = 0;
  const ticking = setInterval(() => turns++, 10);
  await delay(500);
  clearInterval(ticking);
  assert.ok(turns > 25, `the program goes on: ${turns} turns`);
  serial.listen();
  // What was not taken was dropped, answers to what is typed meanwhile too: a person types again.
  for (let tries = 0; tries < 20 && !/0 on aether-3f2a\r\naether-3f2a> $/.test(serial.text); tries++) {
    await serial.type('\x15version\r');
  }
  assert.match(serial.text.slice(-200), /AetherStore 0\.1\.0 on aether-3f2a/);
});

test('a line that is not there is waited for', { skip }, async (t) => {
  const reached = Promise.withResolvers<void>();
  const pty = Pty.open();
  let tries = 0;
  const open = async () => {
    tries++;
    const path = tries === 1 ? '/dev/tty-that-is-not-there' : pty.path;
    const line = await SerialLine.open({ path, baud: 115_200, style: 'ansi' });
    reached.resolve();
    return line;
  };
  const ports = { clock: new NodeClock(), log: silentLog };
  const { context } = new ConsoleFixture();
  const console = new SerialConsole({ name: 'gadget', open, context }, ports);
  t.after(() => {
    console.close();
    pty.close();
  });
  await reached.promise;
  assert.equal(tries, 2);
});
