import assert from 'node:assert/strict';
import { type Bytes, utf8 } from '../../base/bytes.ts';
import { createLog } from '../../base/log.ts';
import { commands } from '../../device/console/commands.ts';
import { Console } from '../../device/console/console.ts';
import { ConsoleFixture, consoleBoxes } from '../console-fixture.ts';
import { FakeClock, settle } from '../fake-clock.ts';
import { FakeConsoleLine } from '../fake-console-line.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';

const packetsPerProbe = 50;
const packetsPerReset = 5000;
/** Commands that one piece of input may have asked for, one after the other. */
const turnsMax = 2000;
const interrupt = '\x03';
const eraseLine = '\x05\x15';

const keys = ['\t', '\x7f', '\x1b[A', '\x1b[D', '\x1b[3~', '\x01', '\x15', '\x17', interrupt, '\x04'];

/** What a person, or a modem, or a broken wire types at the maintenance console. */
export const consoleTarget: FuzzTarget = {
  name: 'console',
  about: 'types lines and raw bytes at the maintenance console of a troubled box',
  corpus: () =>
    [
      ...commands.flatMap(({ name, words }) => [name, ...words.map((word) => `${name} ${word}`)]),
      'disks adopt sdc\raether-3f2a',
      'pin set\r1234\r1234',
      'ack BOX_AWAY:aether-7b10',
      'files /photos',
      'shutdown\raether-3f2a',
      'log -f',
    ]
      .flatMap((line, index) => [`${line}\r`, `${line}${keys[index % keys.length]}`])
      .map((text, index) => ({ name: `line-${index}`, bytes: utf8(text) })),
  layoutOf: () => ({ fields: [], units: [] }),
  start: () => new ConsoleSubject(),
};

class ConsoleSubject implements FuzzSubject {
  readonly #clock = new FakeClock();
  readonly #counts = { probes: 0, ended: 0, longest: 0 };
  #fixture = new ConsoleFixture(consoleBoxes.troubled);
  #line!: FakeConsoleLine;
  #console!: Console;
  #ended = false;
  #packets = 0;

  constructor() {
    this.#open();
  }

  async receive(bytes: Bytes, timed: Stopwatch): Promise<void> {
    this.#packets++;
    if (this.#packets % packetsPerReset === 0) {
      this.#console.close();
      this.#fixture = new ConsoleFixture(consoleBoxes.troubled);
      this.#open();
    }
    timed(() => this.#line.type(bytes));
    await settle();
    this.#counts.longest = Math.max(this.#counts.longest, this.#line.written.length);
    this.#line.written = '';
    this.#fixture.control.asked.length = 0;
    if (this.#ended) this.#open();
    if (this.#packets % packetsPerProbe === 0) await this.#probe(timed);
  }

  check(): void {
    assert.ok(this.#line.written.length < 1024 * 1024, 'a console that writes without end');
  }

  figures(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Whoever comes now gets an answer. */
  async #probe(timed: Stopwatch): Promise<void> {
    this.#counts.probes++;
    for (let turn = 0; turn < turnsMax && !this.#ended; turn++) {
      // Ends whatever runs or asks; on an empty line it ends the console, and the next one is greeted.
      timed(() => this.#line.type(interrupt));
      await settle();
    }
    assert.ok(this.#ended, 'a console that nobody can stop');
    this.#open();
    timed(() => this.#line.type(`${eraseLine}version\r`));
    await settle();
    assert.match(this.#line.written, /AetherStore \S+ on aether-3f2a/);
    this.#line.written = '';
  }

  #open(): void {
    this.#ended = false;
    const line = new FakeConsoleLine('ansi');
    const console = new Console({ line, context: this.#fixture.context }, { clock: this.#clock });
    this.#line = line;
    this.#console = console;
    void console.ended.then(() => {
      if (this.#console !== console) return;
      this.#counts.ended++;
      this.#ended = true;
    });
    console.start();
    createLog('fuzz', () => this.#clock.wallMs(), this.#fixture.log.sink).warn('a line of the log');
  }
}
