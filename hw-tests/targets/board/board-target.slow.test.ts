import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { hasCode } from '../../../src/base/errors.ts';
import { Pty } from '../../../src/testing/pty.ts';
import { waitForRhythm } from '../../light-track.ts';
import { Scene } from '../../scene.ts';
import { whyNot } from '../../target.ts';
import { BoardTarget } from './board-target.ts';

const bench = join(import.meta.dirname, 'fake-bench.ts');

interface Bench {
  readonly folder: string;
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
    cable: { plug: note('cable', 'in'), pull: note('cable', 'out') },
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
  return { folder, target, line, noted: () => readFileSync(notes, 'utf8') };
}

/** A console that answers each line with its echo and what `answer` says: a prompt last, unless it asks for more. */
function answerLines(line: Pty, answer: (command: string) => readonly string[]): void {
  let typed = '';
  line.read((bytes) => {
    typed += fromUtf8(bytes);
    for (let at = typed.indexOf('\r'); at >= 0; at = typed.indexOf('\r')) {
      const command = typed.slice(0, at);
      typed = typed.slice(at + 1);
      const said = [command, ...answer(command)];
      void line.type([...said, ...(said.at(-1) === nameQuestion ? [] : ['alder> '])].join('\r\n'));
    }
  });
}

const nameQuestion = 'name: ';

/** A box at the end of the serial line that can be reset, restarted and given disks, and serves at once. */
class FakeBox {
  pool: { readonly boxes: number } | null = null;
  /** What was typed that cannot be undone. */
  readonly deeds: string[] = [];
  readonly #adopted = new Set<string>();
  #asked = '';
  #begunMs = performance.now() - 600_000;

  constructor(line: Pty) {
    answerLines(line, (command) => this.#answer(command));
  }

  #answer(command: string): readonly string[] {
    const uptimeMs = performance.now() - this.#begunMs;
    if (command === 'status --json') return [JSON.stringify({ box: { uptimeMs }, pool: this.pool })];
    if (command === 'disks')
      return ['sda', 'sdb'].map((disk) => `${disk} ${this.#adopted.has(disk) ? 'ok' : 'blank'} 4 GB`);
    if (command === 'alder') return this.#do(this.#asked);
    if (command === '') return [];
    this.#asked = command;
    return ['Type the name of this box (alder) to do it.', nameQuestion];
  }

  #do(deed: string): readonly string[] {
    this.deeds.push(deed);
    const [, disk] = /^disks adopt (\w+)$/.exec(deed) ?? [];
    if (disk !== undefined) {
      this.#adopted.add(disk);
      return [`Disk ${disk} is in use now.`];
    }
    if (deed === 'reset factory') this.pool = null;
    this.#adopted.clear();
    this.#begunMs = performance.now();
    return [];
  }
}

/** The scene of a {@link FakeBox}, which nobody reaches by a network. */
class FakeScene extends Scene {
  readonly #box: FakeBox;

  constructor(target: BoardTarget, folder: string, box: FakeBox) {
    super(target, folder);
    this.#box = box;
  }

  override isServing(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override async claim(): Promise<string> {
    this.#box.pool = { boxes: 1 };
    return 'alder';
  }

  override async untilProven(): Promise<void> {}
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

  const unpowered = await start(t, { power: null, card: { flash: ['flash'] } });
  assert.equal(whyNot(unpowered.target.capabilities, ['card']), 'No relay is wired to this board.');
  const bare = await start(t, { disks: [] });
  assert.match(String(bare.target.capabilities['same disk']), /as it was pulled/);
  assert.match(String(whyNot(bare.target.capabilities, ['second computer'])), /one computer/);
});

test('each test with disks gets blank ones, and the cable, whatever the one before it left', async (t) => {
  const { folder, target, line, noted } = await start(t);
  const box = new FakeBox(line);
  const scene = new FakeScene(target, folder, box);
  const started = `power off\ndisk 1 out\ndisk 2 out\ndisk 1 in\ndisk 2 in\npower on\ncable in\n`;
  await scene.claimed();
  assert.equal(noted(), started);
  await target.disks.detach(scene.disks[1]!);
  await target.network.cable(false);
  scene.disturbed();
  await scene.claimed();
  assert.equal(noted(), `${started}disk 2 out\ncable out\n${started}`);
  const adopted = ['disks adopt sda', 'disks adopt sdb'];
  assert.deepEqual(box.deeds, [...adopted, 'reset factory', ...adopted]);
});

test('a board without a relay is taken as it stands, and begins anew by its console', async (t) => {
  const { folder, target, line, noted } = await start(t, { power: null });
  const box = new FakeBox(line);
  box.pool = { boxes: 2 };
  const scene = new FakeScene(target, folder, box);
  await scene.serving();
  assert.deepEqual([box.deeds, box.pool], [['reset factory'], null]);
  assert.equal(scene.firstStartSeconds, undefined);
  scene.disturbed();
  await scene.serving();
  assert.deepEqual(box.deeds, ['reset factory', 'restart']);
  const started = 'disk 1 out\ndisk 2 out\ncable in\n';
  assert.equal(noted(), started + started);
});

test('a misspelt key of the configuration is an error that names the right one', async (t) => {
  await assert.rejects(start(t, { buton: null }), (error) => {
    assert.ok(hasCode(error, 'CONFIG_UNKNOWN_KEY'));
    assert.match(error.message, /button/);
    return true;
  });
});
