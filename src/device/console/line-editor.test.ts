import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../base/bytes.ts';
import { consoleLineCharactersMax } from '../../base/limits.ts';
import type { ConsoleLineStyle } from '../../ports/terminal-line.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { TerminalScreen } from '../../testing/terminal-screen.ts';
import { type EditorEvent, LineEditor } from './line-editor.ts';

const up = '\x1b[A';
const down = '\x1b[B';
const right = '\x1b[C';
const left = '\x1b[D';
const words = ['shutdown', 'status', 'start', 'help'];

class Typist {
  readonly screen: TerminalScreen;
  readonly events: EditorEvent[] = [];
  readonly editor: LineEditor;
  written = 0;

  constructor(style: ConsoleLineStyle = 'ansi', columns = 40) {
    this.screen = new TerminalScreen(columns);
    this.editor = new LineEditor({
      style,
      columns: () => columns,
      complete: (before) => {
        const word = before.slice(before.lastIndexOf(' ') + 1);
        return { word, candidates: words.filter((each) => each.startsWith(word)) };
      },
    });
    this.show(this.editor.begin('> '));
  }

  type(input: string | Uint8Array): this {
    const bytes = typeof input === 'string' ? utf8(input) : input;
    let offset = 0;
    while (offset < bytes.length) {
      const fed = this.editor.feed(bytes, offset);
      offset += fed.consumed;
      this.show(fed.echo);
      if (fed.event === undefined) continue;
      this.events.push(fed.event);
      this.show(this.editor.begin('> '));
    }
    return this;
  }

  show(text: string): void {
    this.written += text.length;
    this.screen.write(text);
  }

  lines(): readonly string[] {
    return this.events.map((event) => (event.kind === 'line' ? event.text : `(${event.kind})`));
  }
}

test('what is typed is echoed and comes out at Enter', () => {
  const typist = new Typist().type('status\r');
  assert.deepEqual(typist.lines(), ['status']);
  assert.deepEqual(typist.screen.lines(), ['> status', '> ']);
});

test('CR, LF and CR LF each end one line', () => {
  assert.deepEqual(new Typist().type('a\rb\nc\r\nd\r').lines(), ['a', 'b', 'c', 'd']);
});

test('the cursor moves, and what is typed or erased in the middle is shown there', () => {
  const typist = new Typist().type(`hllo${left}${left}${left}e${right}\x1b[3~l`);
  assert.equal(typist.screen.lines().at(-1), '> hello');
  assert.equal(typist.screen.cursorColumn, 6);
  typist.type('\x01X\x05Y\r');
  assert.deepEqual(typist.lines(), ['XhelloY']);
});

test('Ctrl-U, Ctrl-K and Ctrl-W erase before, after, and a word', () => {
  const lines = (input: string) => new Typist().type(`${input}\r`).lines()[0];
  assert.equal(lines(`one two${left}${left}${left}\x15`), 'two');
  assert.equal(lines(`one two${left}${left}${left}\x0b`), 'one ');
  assert.equal(lines('one two  \x17three'), 'one three');
  assert.equal(lines('\x15\x0b\x17\x7f\x08ok'), 'ok');
});

test('up and down walk through earlier lines and come back to what was being typed', () => {
  const typist = new Typist().type(`first\rsecond\rsecond\r\r${up}${up}`);
  assert.equal(typist.screen.lines().at(-1), '> first');
  typist.type(`${up}${down}${down}`);
  assert.equal(typist.screen.lines().at(-1), '> ');
  typist.type(`dra${up}${down}ft\r`);
  assert.equal(typist.lines().at(-1), 'draft');
});

test('Tab completes one word whole, several as far as they agree, and then lists them', () => {
  assert.deepEqual(new Typist().type('he\t\r').lines(), ['help ']);
  const typist = new Typist().type('st\t');
  assert.equal(typist.screen.lines().at(-1), '> sta');
  typist.type('\t');
  assert.deepEqual(typist.screen.lines(), ['> sta', 'status  start', '> sta']);
  typist.type('tu\t\r');
  assert.deepEqual(typist.lines(), ['status ']);
});

test('Ctrl-C throws the line away, and on an empty line means stop', () => {
  assert.deepEqual(new Typist().type('rm all\x03\x03').lines(), ['(cancelled)', '(interrupt)']);
});

test('Ctrl-D erases under the cursor, and on an empty line means leave', () => {
  assert.deepEqual(new Typist().type(`ab${left}\x04\r\x04`).lines(), ['a', '(leave)']);
});

test('characters of several bytes and of two cells are one key each, however they are split', () => {
  const typist = new Typist();
  for (const byte of utf8('é箱😀x')) typist.type(new Uint8Array([byte]));
  typist.type(`${left}${left}\x7f`);
  assert.equal(typist.screen.lines().at(-1), '> é😀x');
  assert.equal(typist.screen.cursorColumn, 3);
  assert.deepEqual(typist.type('\r').lines(), ['é😀x']);
});

test('a line that is longer than the row scrolls sideways and stays in its row', () => {
  const typist = new Typist('ansi', 20).type('abcdefghijklmnopqrstuvwxyz');
  assert.deepEqual(typist.screen.lines(), ['> jklmnopqrstuvwxyz']);
  typist.type('\x01');
  assert.deepEqual(typist.screen.lines(), ['> abcdefghijklmnopq']);
  assert.deepEqual(typist.type('\r').lines(), ['abcdefghijklmnopqrstuvwxyz']);
});

test('text from elsewhere appears above the line, which is left as it was', () => {
  const typist = new Typist().type(`status${left}${left}`);
  typist.show(typist.editor.above(['warn store: volume full']));
  assert.deepEqual(typist.screen.lines(), ['warn store: volume full', '> status']);
  assert.equal(typist.screen.cursorColumn, 6);
  assert.deepEqual(typist.type('-\r').lines(), ['stat-us']);
});

test('a dumb terminal gets no escape sequence, and its screen is right all the same', () => {
  const screen = new TerminalScreen(40, { obeysEscapes: false });
  const typist = new Typist('dumb');
  const write = typist.show.bind(typist);
  typist.show = (text: string) => {
    assert.ok(!text.includes('\x1b'));
    screen.write(text);
    write(text);
  };
  screen.write('> ');
  typist.type(`old\rnew 箱x\x7f\x7f${left}\x01z${up}${up}${down}`);
  const lines = () => screen.lines().map((line) => line.trimEnd());
  assert.deepEqual(lines(), ['> old', '> new z']);
  typist.show(typist.editor.above(['a log line']));
  assert.deepEqual(lines(), ['> old', '> new z', 'a log line', '> new z']);
  assert.deepEqual(typist.type('\x17\x17ok\r').lines(), ['old', 'ok']);
});

test('a pipe gets neither prompt nor echo', () => {
  const typist = new Typist('plain').type('status\nhe\tlp\x7f\n');
  assert.equal(typist.written, 0);
  assert.equal(typist.lines()[0], 'status');
});

test('what is left when the input ends without Enter is a line', () => {
  const typist = new Typist('plain').type('status');
  assert.equal(typist.editor.finish(), 'status');
  assert.equal(typist.editor.finish(), '');
});

test('an escape sequence that never ends is let go', () => {
  for (const start of ['\x1b[', '\x1b]0;', '\x1bP', '\x1bO', '\x1b']) {
    const typist = new Typist().type(`${start}${'1'.repeat(200)}`).type('\x15status\r');
    assert.deepEqual(typist.lines(), ['status'], JSON.stringify(start));
  }
});

test('Enter and Ctrl-C are obeyed inside an unfinished sequence', () => {
  assert.deepEqual(new Typist().type('\x1b[12\r\x1b]0;title\x03').lines(), ['', '(interrupt)']);
});

test('sequences of keys we do not know leave nothing behind', () => {
  const unknown = '\x1b[15~\x1b[1;2P\x1b]11;rgb:0/0/0\x07\x1b]4;1\x1b\\\x1bOP\x1b[200~';
  assert.deepEqual(new Typist().type(`a${unknown}b\r`).lines(), ['ab']);
});

test('a megabyte without a line end is bounded in memory and in what is written back', () => {
  const typist = new Typist();
  const part = utf8('x'.repeat(64 * 1024));
  for (let count = 0; count < 16; count++) typist.type(part);
  assert.ok(typist.written < 64 * 1024, `${typist.written} characters written`);
  const [line] = typist.type('\r').lines();
  assert.equal(line!.length, consoleLineCharactersMax);
});

test('random bytes never make it throw, keep more than a line, or put a control character into one', () => {
  for (const style of ['ansi', 'dumb', 'plain'] as const) {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const typist = new Typist(style, 60);
        typist.type(new SeededEntropy(seed).bytes(100_000));
        for (const line of typist.lines()) {
          assert.ok([...line].length <= consoleLineCharactersMax);
          assert.ok(!/\p{Cc}/u.test(line));
        }
        typist.type('\x1b[Z\x03\x15status\r');
        assert.equal(typist.lines().at(-1), 'status');
      }),
      { numRuns: 5 },
    );
  }
});

test('the screen always shows the line as it is, whatever keys were pressed', () => {
  const keys = fc.constantFrom(
    'a',
    'b ',
    '箱',
    'é',
    left,
    right,
    up,
    down,
    '\x01',
    '\x05',
    '\x15',
    '\x0b',
    '\x17',
    '\x7f',
    '\x1b[3~',
  );
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 60 }), (pressed) => {
      const typist = new Typist('ansi', 200).type('early\r');
      for (const key of pressed) typist.type(key);
      const shown = typist.screen.lines().at(-1)!;
      assert.equal(`> ${typist.editor.finish()}`.trimEnd(), shown.trimEnd());
    }),
  );
});
