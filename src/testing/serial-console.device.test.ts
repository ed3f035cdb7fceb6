import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { consoleOutputBytesMax } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { SerialConsole } from '../device/console/serial-console.ts';
import { NodeClock } from '../platform/node-clock.ts';
import { SerialLine } from '../platform/serial-line.ts';
import { ConsoleFixture } from './console-fixture.ts';
import { Pty } from './pty.ts';

const skip = process.platform === 'linux' ? false : 'pseudo-terminals are opened by the C library of Linux';

test('support prints all it has over a real serial line, however much that is', { skip }, async (t) => {
  const pty = Pty.open();
  const { context, control } = new ConsoleFixture();
  const lines = Array.from({ length: 8000 }, (_, number) => `line ${number} of a log that is long`);
  const bundle = `${lines.join('\n')}\n`;
  assert.ok(bundle.length > 2 * consoleOutputBytesMax);
  control.supportBundle = async () => [{ name: 'log.txt', text: bundle }];
  const open = () => SerialLine.open({ path: pty.path, baud: 115_200, style: 'ansi' });
  const ports = { clock: new NodeClock(), log: silentLog };
  const console = new SerialConsole({ name: pty.path, open, context }, ports);
  t.after(() => {
    console.close();
    pty.close();
  });
  let text = '';
  const until = async (end: RegExp) => {
    for (let tries = 0; tries < 400 && !end.test(text.slice(-100)); tries++) await delay(25);
    assert.match(text.slice(-100), end);
  };
  pty.read((bytes) => {
    text += new TextDecoder().decode(bytes);
  });
  await until(/> $/);
  await pty.type('support\r');
  await until(/bundle ends\r\n.*> $/);
  assert.ok(text.includes(lines.join('\r\n')));
});
