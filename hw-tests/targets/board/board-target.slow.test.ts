import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { hasCode } from '../../../src/base/errors.ts';
import { Pty } from '../../../src/testing/pty.ts';
import { waitForRhythm } from '../../light-track.ts';
import { whyNot } from '../../target.ts';
import { BoardTarget } from './board-target.ts';

const bench = join(import.meta.dirname, 'fake-bench.ts');

interface Bench {
  readonly target: BoardTarget;
  readonly line: Pty;
  readonly noted: () => string;
}

/** A board whose serial line is a pseudo-terminal, and whose relay is a program that notes what it was told. */
async function start(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'aether-bench-'));
  const notes = join(folder, 'notes');
  writeFileSync(notes, '');
  const note = (...words: readonly string[]) => [process.execPath, bench, notes, 'note', ...words];
  const line = Pty.open();
  const config = {
    name: 'a board',
    serial: { path: line.path },
    address: '192.0.2.7',
    power: { on: note('power', 'on'), off: note('power', 'off') },
    button: { press: note('button', 'down'), release: note('button', 'up') },
    disks: [1, 2].map((disk) => ({
      bytes: 4e9,
      attach: note('disk', `${disk}`, 'in'),
      detach: note('disk', `${disk}`, 'out'),
      again: note('disk', `${disk}`, 'again'),
    })),
    ...more,
  };
  const file = join(folder, 'board.json');
  writeFileSync(file, JSON.stringify(config));
  const target = await BoardTarget.open(file, folder);
  t.after(async () => {
    await target.close();
    line.close();
    rmSync(folder, { recursive: true });
  });
  return { target, line, noted: () => readFileSync(notes, 'utf8') };
}

/** A console that answers each line with its echo and what `answer` says. */
function answerLines(line: Pty, answer: (command: string) => readonly string[]): void {
  let typed = '';
  line.read((bytes) => {
    typed += fromUtf8(bytes);
    for (let at = typed.indexOf('\r'); at >= 0; at = typed.indexOf('\r')) {
      const command = typed.slice(0, at);
      typed = typed.slice(at + 1);
      void line.type([command, ...answer(command), 'alder> '].join('\r\n'));
    }
  });
}

test('a command typed on the serial line is answered, with the log lines that come between', async (t) => {
  const { target, line } = await start(t);
  answerLines(line, (command) =>
    command === 'status --json' ? ['12:00 warn disk: slow', '{"pool":null}'] : [],
  );
  assert.equal(await target.console.greet(5000), 'alder');
  assert.deepEqual(await target.console.json('status'), { pool: null });
});

test('what asks for the name of the box is given it', async (t) => {
  const { target, line } = await start(t);
  const heard: string[] = [];
  line.read((bytes) => {
    const text = fromUtf8(bytes) ?? '';
    heard.push(text);
    if (text === '\r') void line.type('\r\nalder> ');
    else if (text === 'disks adopt sda\r')
      void line.type('disks adopt sda\r\nType the name of this box (alder) to format sda.\r\nname: ');
    else if (text === 'alder\r') void line.type('alder\r\nDisk sda is in use now.\r\nalder> ');
  });
  const said = await target.console.dangerousCommand('disks adopt sda');
  assert.deepEqual(heard, ['\r', 'disks adopt sda\r', 'alder\r']);
  assert.ok(said.includes('Disk sda is in use now.'), said.join('\n'));
});

test('power, button and disks are programs of the bench, each run to its end', async (t) => {
  const { target, noted } = await start(t);
  await target.power.on();
  await target.button.press();
  await target.button.release();
  const disk = await target.disks.attach(1e9);
  await target.disks.attach(1e9);
  await assert.rejects(target.disks.attach(1e9), /all disks/);
  await target.disks.detach(disk);
  await target.disks.attachAgain(disk);
  await target.power.off();
  assert.equal(
    noted(),
    'power on\nbutton down\nbutton up\ndisk 1 in\ndisk 2 in\ndisk 1 out\ndisk 1 again\npower off\n',
  );
});

test('restarts and the end of a shutdown are read off the serial line', async (t) => {
  const { target, line } = await start(t);
  await line.type('U-Boot 2025.01 before\r\n');
  await target.console.waitFor(/before/, 5000);
  await target.power.on();
  await line.type('U-Boot 2025.01\r\nkernel\r\nU-Boot 2025.01\r\n');
  await target.console.waitFor(/kernel[\s\S]*U-Boot/, 5000);
  assert.equal(target.power.restarts(), 1);
  await assert.rejects(target.power.switchedOff(10), /does not say/);
  await line.type('[ 12.3] reboot: Power down\r\n');
  await target.power.switchedOff(5000);
});

test('the lights are what the bench program prints', async (t) => {
  const { target } = await start(t, { lights: { watch: [process.execPath, bench, '-', 'lights'] } });
  await waitForRhythm(target.lights, 'not claimed', 20_000);
});

test('what is not wired up is told as a reason to skip a test', async (t) => {
  const { target } = await start(t, { power: null });
  assert.equal(whyNot(target.capabilities, ['button', 'disks']), undefined);
  assert.equal(whyNot(target.capabilities, ['power', 'button']), 'No relay is wired to this board.');
  await assert.rejects(target.power.on(), /No relay/);
  const bare = await start(t, { disks: [] });
  assert.match(String(bare.target.capabilities['same disk']), /as it was pulled/);
});

test('a misspelt key of the configuration is an error that names the right one', async (t) => {
  await assert.rejects(start(t, { buton: null }), (error) => {
    assert.ok(hasCode(error, 'CONFIG_UNKNOWN_KEY'));
    assert.match(error.message, /button/);
    return true;
  });
});
