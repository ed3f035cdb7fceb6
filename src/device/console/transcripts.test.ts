import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLog } from '../../base/log.ts';
import type { ConsoleLineStyle } from '../../ports/terminal-line.ts';
import { ConsoleFixture, consoleBoxes } from '../../testing/console-fixture.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeConsoleLine } from '../../testing/fake-console-line.ts';
import { TerminalScreen } from '../../testing/terminal-screen.ts';
import { Console } from './console.ts';

/*
 * Golden transcripts. Each file is a header (`box`, `style`, `columns`), a line `keys:` for each piece of input in
 * the order it is given, a line `---`, and then the screen a person sees at the end. In the keys, names in angle
 * brackets are keys, `<wait 5s>` lets time pass, `<log text>` is a warning in the log and `<pin 1234>` sets a maintenance PIN.
 * UPDATE_TRANSCRIPTS=1 writes the screens anew, to be read before they are committed.
 */
const folder = new URL('transcripts/', import.meta.url);

const keys: Readonly<Record<string, string>> = {
  enter: '\r',
  tab: '\t',
  up: '\x1b[A',
  left: '\x1b[D',
  backspace: '\x7f',
  'ctrl-c': '\x03',
  'ctrl-d': '\x04',
};

interface Transcript {
  readonly head: ReadonlyMap<string, string>;
  readonly input: readonly string[];
  readonly text: string;
  readonly screen: string;
}

function parse(text: string): Transcript {
  const [top = '', screen = ''] = text.split('\n---\n');
  const lines = top.split('\n').map((line) => /^(\w+): (.*)$/.exec(line)!);
  return {
    head: new Map(lines.map(([, name, value]) => [name!, value!])),
    input: lines.filter(([, name]) => name === 'keys').map(([, , value]) => value!),
    text: top,
    screen,
  };
}

async function play(transcript: Transcript): Promise<string> {
  const clock = new FakeClock();
  const columns = Number(transcript.head.get('columns') ?? 80);
  const style = (transcript.head.get('style') ?? 'ansi') as ConsoleLineStyle;
  const screen = new TerminalScreen(columns, { obeysEscapes: style === 'ansi' });
  const line = new FakeConsoleLine(style, columns, (text) =>
    screen.write(style === 'plain' ? text.replaceAll('\n', '\r\n') : text),
  );
  const facts = consoleBoxes[transcript.head.get('box')!]!;
  const fixture = new ConsoleFixture(facts);
  const { control, log: ring } = fixture;
  const console = new Console({ line, context: fixture.context }, { clock });
  let end = '';
  void console.ended.then((reason) => {
    end = `(ended: ${reason})\n`;
  });
  console.start();
  const log = createLog('store', () => clock.wallMs(), ring.sink);
  for (const piece of transcript.input
    .flatMap((each) => each.split(/(<[^>]+>)/))
    .filter((each) => each !== '')) {
    const [, word = '', rest = ''] = /^<([\w-]+) ?(.*)>$/.exec(piece) ?? [];
    if (word === 'wait') await clock.run(Number.parseInt(rest, 10) * 1000);
    else if (word === 'log') log.warn(rest);
    else if (word === 'pin') control.pin = rest;
    else line.type(keys[word] ?? piece);
    await clock.run(0);
  }
  return `${screen
    .lines()
    .map((each) => each.trimEnd())
    .join('\n')
    .trimEnd()}\n${end}`;
}

for (const name of readdirSync(folder).filter((each) => each.endsWith('.txt'))) {
  test(`the screen is as in transcripts/${name}`, async () => {
    const file = new URL(name, folder);
    const transcript = parse(readFileSync(file, 'utf8'));
    const screen = await play(transcript);
    if (process.env.UPDATE_TRANSCRIPTS === '1') writeFileSync(file, `${transcript.text}\n---\n${screen}`);
    else assert.equal(screen, transcript.screen);
  });
}
