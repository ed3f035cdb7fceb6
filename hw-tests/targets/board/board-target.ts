import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Aether } from '../../../scripts/lan/box-process.ts';
import { type Program, thisMachine } from '../../../scripts/lan/processes.ts';
import { SerialLine } from '../../../src/platform/serial-line.ts';
import { BoxConsole } from '../../box-console.ts';
import { RootShell } from '../../root-shell.ts';
import type {
  AttachedDisk,
  Button,
  Capabilities,
  Card,
  Disks,
  Lights,
  Network,
  Power,
  Snapshots,
  Sticks,
  Target,
  Updates,
} from '../../target.ts';
import type { TextLine } from '../../text-line.ts';
import { type BoardConfig, parseBoardConfig } from './board-config.ts';

type Command = readonly string[];

const commandTimeoutMs = 10 * 60_000;
const lightsTimeoutMs = 10_000;
/** What the boot loader says first, and what the kernel says last. */
const startBanner = /U-Boot \d{4}\.\d{2}/g;
const powerDown = /reboot: Power down/;

const noSecondComputer = 'Tests have one computer on the switch of this board.';

/** A real board: its serial line by an adapter, everything else by programs that its configuration names. */
export class BoardTarget implements Target {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly slowness = 1;
  readonly console: BoxConsole;
  readonly root: RootShell;
  readonly #config: BoardConfig;
  readonly #line: SerialLine;
  readonly #folder: string;
  readonly #attached = new Set<string>();
  #lightsWatch: Program | undefined;
  #lights = { green: false, amber: false };
  /** How long the transcript was when the board was given power. */
  #onAt = 0;

  private constructor(config: BoardConfig, line: SerialLine, folder: string) {
    this.name = config.name;
    this.#config = config;
    this.#line = line;
    this.#folder = folder;
    this.capabilities = capabilitiesOf(config);
    this.console = new BoxConsole(textOf(line));
    this.root = new RootShell({ write: () => {}, onText: () => {} });
  }

  /** Errors: those of the configuration, `SERIAL_UNAVAILABLE`. */
  static async open(file: string, folder: string): Promise<BoardTarget> {
    const config = parseBoardConfig(readFileSync(file, 'utf8'), file);
    const { path, baud } = config.serial;
    return new BoardTarget(config, await SerialLine.open({ path, baud, style: 'dumb' }), folder);
  }

  readonly power: Power = {
    on: () => {
      this.#onAt = this.console.transcript.length;
      return this.#run('power', this.#config.power?.on);
    },
    off: () => this.#run('power', this.#config.power?.off),
    forgotten: () => undefined,
    switchedOff: async (timeoutMs) => {
      const endMs = performance.now() + timeoutMs;
      while (!powerDown.test(this.#sinceOn())) {
        if (performance.now() > endMs)
          throw new Error(`the kernel does not say that it is down within ${timeoutMs / 1000} s`);
        await delay(50);
      }
    },
    restarts: () => Math.max(0, [...this.#sinceOn().matchAll(startBanner)].length - 1),
  };

  readonly lights: Lights = {
    sample: async () => {
      await this.#watchLights();
      return { atMs: performance.now(), ...this.#lights };
    },
  };

  readonly button: Button = {
    press: () => this.#run('button', this.#config.button?.press),
    release: () => this.#run('button', this.#config.button?.release),
  };

  readonly network: Network = {
    desktop: thisMachine,
    get second(): never {
      throw new Error(noSecondComputer);
    },
    address: async () => this.#config.address ?? (await this.#scannedAddress()),
    dhcp: async (on) => {
      const { dhcp } = this.#config;
      // Where nobody can choose, there is one.
      if (dhcp !== null) await this.#run('dhcp', on ? dhcp.on : dhcp.off);
    },
    cable: (plugged) => {
      const { cable } = this.#config;
      return this.#run('cable', plugged ? cable?.plug : cable?.pull);
    },
  };

  readonly disks: Disks = {
    attach: async (bytes) => {
      const index = this.#config.disks.findIndex((_, at) => !this.#attached.has(`disk${at + 1}`));
      const disk = this.#config.disks[index];
      if (disk === undefined) throw new Error('all disks that are wired up are attached');
      if (disk.bytes < bytes)
        throw new Error(`a disk of ${bytes} bytes is needed, this one has ${disk.bytes}`);
      await this.#run('disks', disk.attach);
      const id = `disk${index + 1}`;
      this.#attached.add(id);
      return { id, bytes: disk.bytes };
    },
    detach: async ({ id }: AttachedDisk) => {
      await this.#run('disks', this.#wiredDisk(id)?.detach);
      this.#attached.delete(id);
    },
    // Those too that a run before this one left plugged in.
    detachAll: async () => {
      for (const { detach } of this.#config.disks) await this.#run('disks', detach);
      this.#attached.clear();
    },
    attachAgain: async ({ id }: AttachedDisk) => {
      await this.#run('same disk', this.#wiredDisk(id)?.again ?? undefined);
      this.#attached.add(id);
    },
    answers: () => this.#run('disks that hang', undefined),
  };

  readonly sticks: Sticks = { plugIn: () => this.#run('memory sticks', undefined) };

  readonly card: Card = {
    flash: async () => {
      await this.power.off();
      await this.#run('card', this.#config.card?.flash);
    },
  };

  readonly snapshots: Snapshots = {
    save: () => this.#run('snapshots', undefined),
    has: () => false,
    restore: () => this.#run('snapshots', undefined),
  };

  readonly updates: Updates = {
    bundle: () => {
      const { bundle } = this.#config;
      if (bundle === null) throw new Error(String(this.capabilities.updates));
      return bundle;
    },
  };

  addBox(): Promise<Target> {
    return Promise.reject(new Error(String(this.capabilities['more boxes'])));
  }

  processorSeconds(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#lightsWatch?.stop(2000);
    this.#line.close();
  }

  #sinceOn(): string {
    return this.console.transcript.slice(this.#onAt);
  }

  #wiredDisk(id: string): BoardConfig['disks'][number] | undefined {
    return this.#config.disks[Number(id.slice('disk'.length)) - 1];
  }

  async #run(what: keyof Capabilities, command: Command | undefined): Promise<void> {
    const [program, ...words] = command ?? [];
    if (program === undefined) throw new Error(String(this.capabilities[what]));
    await thisMachine.run(program, words, { timeoutMs: commandTimeoutMs });
  }

  async #watchLights(): Promise<void> {
    if (this.#lightsWatch?.running === true) return;
    const [program, ...words] = this.#config.lights?.watch ?? [];
    if (program === undefined) throw new Error(String(this.capabilities.lights));
    this.#lightsWatch = thisMachine.start(program, words);
    this.#lightsWatch.onLine((line) => {
      this.#lights = lightsOf(line) ?? this.#lights;
    });
    await this.#lightsWatch.firstLine(lightsOf, lightsTimeoutMs);
  }

  async #scannedAddress(): Promise<string> {
    const name = await this.console.greet();
    const { stdout } = await new Aether(thisMachine, this.#folder).run(['scan', '--json'], {
      timeoutMs: 60_000,
    });
    const boxes = JSON.parse(stdout) as readonly {
      readonly name: string;
      readonly addresses: readonly { readonly host: string }[];
    }[];
    const hosts = boxes.find((box) => box.name === name)?.addresses.map(({ host }) => host) ?? [];
    const address = hosts.find((host) => !host.includes(':'));
    if (address === undefined) throw new Error(`aether scan finds no IPv4 address of ${name}`);
    return address;
  }
}

function capabilitiesOf(config: BoardConfig): Capabilities {
  const wired = (part: unknown, what: string) =>
    part === null ? `No ${what} is wired to this board.` : true;
  const power = wired(config.power, 'relay');
  return {
    power,
    lights: wired(config.lights, 'reader of its lights'),
    button: wired(config.button, 'line to its button'),
    disks: wired(config.disks.length < 2 ? null : config.disks, 'pair of switched disks'),
    'same disk': wired(
      config.disks.length > 0 && config.disks.every(({ again }) => again !== null) ? config.disks : null,
      'way to plug a disk in as it was pulled',
    ),
    cable: wired(config.cable, 'switched network cable'),
    dhcp: wired(config.dhcp, 'DHCP server of our own'),
    'second computer': noSecondComputer,
    // It is written while the board is off.
    card: power === true ? wired(config.card, 'switch of its card') : power,
    updates: config.bundle === null ? 'No bundle of its version is given.' : true,
    'disks that hang': 'A real disk hangs when it likes.',
    'memory sticks': 'No memory stick can be plugged in by a program here.',
    clock: 'A Pi has no clock that goes on without power.',
    snapshots: 'A real board is not brought back to a moment.',
    'root shell': 'A real board has no root shell.',
    'more boxes': 'One board is wired up.',
    watchdog: true,
  };
}

function lightsOf(line: string): { readonly green: boolean; readonly amber: boolean } | undefined {
  const [, green, amber] = /^([01]) ([01])$/.exec(line.trim()) ?? [];
  return green === undefined ? undefined : { green: green === '1', amber: amber === '1' };
}

function textOf(line: SerialLine): TextLine {
  const decoder = new TextDecoder();
  return {
    write: (text) => line.write(text),
    onText: (listener) => line.onData((bytes) => listener(decoder.decode(bytes, { stream: true }))),
  };
}
