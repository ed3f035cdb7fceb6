import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import type { LedDisplay } from '../ports/leds.ts';
import { TerminalLeds } from './terminal-leds.ts';
import { type TerminalInput, TerminalLine, type TerminalOutput } from './terminal-line.ts';

class FakeInput extends EventEmitter implements TerminalInput {
  readonly isTTY: boolean;
  raw = false;
  paused = false;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  setRawMode(raw: boolean): void {
    assert.ok(this.isTTY, 'only a terminal has a raw mode');
    this.raw = raw;
  }

  pause(): void {
    this.paused = true;
  }
}

class FakeOutput extends EventEmitter implements TerminalOutput {
  readonly isTTY: boolean;
  columns = 60;
  rows = 24;
  written = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.written += text;
  }
}

const environment = { TERM: 'xterm-256color' };
const healthy: LedDisplay = { green: 1, amber: 0, rhythm: 'green on, amber off', headline: 'All is well.' };

test('only a terminal at both ends is one; the rest is a pipe', () => {
  const style = (input: boolean, output: boolean, TERM?: string) =>
    new TerminalLine({ input: new FakeInput(input), output: new FakeOutput(output), environment: { TERM } })
      .style;
  assert.equal(style(true, true, 'xterm'), 'ansi');
  assert.equal(style(true, true, 'dumb'), 'dumb');
  assert.equal(style(true, true), 'dumb');
  assert.equal(style(false, true, 'xterm'), 'plain');
  assert.equal(style(true, false, 'xterm'), 'plain');
});

test('raw mode lasts from the first listener to close, and exit gives it back as well', () => {
  const exitListeners = process.listenerCount('exit');
  const input = new FakeInput(true);
  const line = new TerminalLine({ input, output: new FakeOutput(true), environment });
  assert.equal(input.raw, false);
  line.onData(() => {});
  assert.equal(input.raw, true);
  const onExit = process.listeners('exit').at(-1) as () => void;
  assert.equal(process.listenerCount('exit'), exitListeners + 1);
  onExit();
  assert.equal(input.raw, false);
  line.close();
  assert.equal(input.paused, true);
  assert.equal(process.listenerCount('exit'), exitListeners);
});

test('the end of the input, an error and a broken pipe are one end', () => {
  for (const happen of [
    (input: FakeInput) => input.emit('end'),
    (input: FakeInput) => input.emit('error', new Error('EIO')),
    (_: FakeInput, output: FakeOutput) => output.emit('error', new Error('EPIPE')),
  ]) {
    const [input, output] = [new FakeInput(false), new FakeOutput(false)];
    const line = new TerminalLine({ input, output, environment });
    let ends = 0;
    line.onEnd(() => ends++);
    happen(input, output);
    input.emit('close');
    assert.equal(ends, 1);
  }
});

test('bytes come through as they are, and none after close', () => {
  const input = new FakeInput(false);
  const line = new TerminalLine({ input, output: new FakeOutput(false), environment });
  const received: Uint8Array[] = [];
  line.onData((bytes) => received.push(bytes));
  input.emit('data', utf8('status\n'));
  line.close();
  input.emit('data', utf8('late'));
  assert.deepEqual(received, [utf8('status\n')]);
});

test('on a terminal the lights have the last row, and the cursor stays where it was', () => {
  const output = new FakeOutput(true);
  const leds = new TerminalLeds({ output, environment });
  leds.show(healthy);
  assert.ok(output.written.startsWith('\x1bD\x1b7\x1b[1;23r\x1b8\x1b[1A'), 'the region is set first');
  output.written = '';
  leds.show({ ...healthy, amber: 1 });
  assert.equal(
    output.written,
    '\x1b7\x1b[24;1H \x1b[32m●\x1b[0m \x1b[33m●\x1b[0m  \x1b[2mgreen on, amber off: All is well.\x1b[0m\x1b[K\x1b8',
  );
  output.written = '';
  leds.close();
  assert.equal(
    output.written,
    '\x1b7\x1b[r\x1b8\x1b[J',
    'the whole screen scrolls again and the row is empty',
  );
  leds.show(healthy);
  assert.equal(output.written, '\x1b7\x1b[r\x1b8\x1b[J', 'a closed light shows nothing');
});

test('a window that changes size gets its lights on the new last row', () => {
  const output = new FakeOutput(true);
  const leds = new TerminalLeds({ output, environment });
  leds.show(healthy);
  output.rows = 40;
  output.columns = 20;
  output.written = '';
  output.emit('resize');
  assert.ok(output.written.includes('\x1b[1;39r') && output.written.includes('\x1b[40;1H'));
  assert.ok(output.written.includes('green on, am…'), 'the words are cut to the row');
  output.rows = 3;
  output.written = '';
  output.emit('resize');
  assert.equal(output.written, '\x1b7\x1b[r\x1b8\x1b[J', 'a tiny window is left alone');
  leds.close();
});

test('NO_COLOR leaves the symbols and the words', () => {
  const output = new FakeOutput(true);
  const leds = new TerminalLeds({ output, environment: { ...environment, NO_COLOR: '1' } });
  leds.show({ ...healthy, amber: 0.4 });
  assert.ok(output.written.endsWith('\x1b[24;1H ● ○  green on, amber off: All is well.\x1b[K\x1b8'));
  leds.close();
});

test('without a terminal each change of state is one line, and no rhythm is played', () => {
  const output = new FakeOutput(false);
  const leds = new TerminalLeds({ output, environment });
  leds.show({ ...healthy, rhythm: 'green blinks, amber off', headline: 'The box is starting.' });
  leds.show({ ...healthy, green: 0, rhythm: 'green blinks, amber off', headline: 'The box is starting.' });
  leds.show(healthy);
  leds.show({ ...healthy, headline: 'All is well: 3 boxes\x1b[2J.' });
  leds.close();
  assert.equal(
    output.written,
    'lights: green blinks, amber off: The box is starting.\nlights: green on, amber off: All is well.\n',
  );
});

test('lines go where they are told to, so that a console can print them above its prompt', () => {
  const output = new FakeOutput(true);
  const lines: string[] = [];
  new TerminalLeds({ output, environment: { TERM: 'dumb' }, print: (line) => lines.push(line) }).show(
    healthy,
  );
  assert.deepEqual([lines, output.written], [['lights: green on, amber off: All is well.'], '']);
});
