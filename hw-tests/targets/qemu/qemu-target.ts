import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Board, boardNamed } from '../../../firmware/board.ts';
import { ensureImage } from '../../../firmware/image.ts';
import { newestOf, root as treeRoot } from '../../../firmware/paths.ts';
import { run } from '../../../firmware/stages/run.ts';
import { ImageTools } from '../../../firmware/stages/tools.ts';
import type { Partition } from '../../../scripts/flash/gpt.ts';
import { Image } from '../../../scripts/flash/image.ts';
import { identityPatch, newSerial, type Patch, type Provision } from '../../../scripts/flash/provision.ts';
import { type BoardPins, parseBoardPins } from '../../../src/device/pins.ts';
import { nodeEntropy } from '../../../src/platform/node-entropy.ts';
import { newCode } from '../../../src/pool/pairing/claim-code.ts';
import { BoxConsole } from '../../box-console.ts';
import { RootShell } from '../../root-shell.ts';
import type {
  AttachedDisk,
  Button,
  Capabilities,
  Card,
  Disks,
  Forgotten,
  Lights,
  Network,
  Power,
  Snapshots,
  Sticks,
  Target,
  Updates,
} from '../../target.ts';
import { EmulatedNetwork } from './emulated-network.ts';
import { Machine } from './machine.ts';
import type { MachineKind, Storage, Wire } from './machine-kind.ts';
import { makeStick } from './stick.ts';

/** The image is as small as it can be; people have cards of several gigabytes. */
const cardBytes = 4 * 1024 ** 3;

export interface QemuOptions {
  /** Empty, and the target's own for as long as it is open. */
  readonly folder: string;
  /** What `npm run image` made; default: where it does for the machine's board; made there when nothing is. */
  readonly images?: string | undefined;
  /** Of {@link ImageFiles}. */
  readonly processors: number;
  readonly say: (line: string) => void;
}

/** What all boxes of one run share. */
interface Bench {
  readonly kind: MachineKind;
  readonly board: Board;
  readonly processors: number;
  readonly pins: BoardPins;
  readonly folder: string;
  readonly image: string;
  readonly partitions: readonly Partition[];
  readonly bundle: string;
  readonly tools: ImageTools;
  readonly network: EmulatedNetwork;
  readonly boxes: QemuTarget[];
}

/** A box on one of QEMU's machines. */
export class QemuTarget implements Target {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly slowness: number;
  readonly console: BoxConsole;
  readonly root: RootShell;
  readonly label: Provision;
  readonly #identity: Patch;
  readonly #bench: Bench;
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #wire: Wire;
  readonly #snapshots = new Map<string, Storage>();
  #filesMade = 0;
  #restarts = 0;
  #switchedOff = false;
  #forgotten: Forgotten | undefined;

  private constructor(
    bench: Bench,
    place: {
      readonly name: string;
      readonly folder: string;
      readonly wire: Wire;
      readonly label: Provision;
    },
    machine: Machine,
  ) {
    this.name = place.name;
    this.capabilities = bench.kind.capabilities;
    this.slowness = bench.kind.slowness;
    this.#bench = bench;
    this.#folder = place.folder;
    this.#wire = place.wire;
    this.label = place.label;
    this.#identity = identityPatch(bench.partitions, place.label);
    this.#machine = machine;
    this.console = new BoxConsole(machine.console, this.slowness);
    this.root = new RootShell(machine.root, this.slowness);
    machine.monitor.onEvent((event) => {
      if (event === 'RESET') this.#restarts++;
      if (event === 'SHUTDOWN') this.#switchedOff = true;
    });
  }

  /** A box with a fresh card, switched off. */
  static async open(
    kind: MachineKind,
    { folder, images, processors, say }: QemuOptions,
  ): Promise<QemuTarget> {
    const tools = ImageTools.open(say);
    const board = boardNamed(kind.board);
    const from = images ?? (await ensureImage(board.name, say));
    const image = join(folder, 'card.img');
    run('cp', ['--sparse=always', fileLike(from, `-${board.name}.img`), image]);
    const bundle = join(folder, 'update.raucb');
    copyFileSync(fileLike(from, '.raucb'), bundle);
    const beside = [...board.emulator.files.map(({ to }) => to), 'overlay.dtbo'];
    if (board.boot.environment.file === null) beside.push('u-boot.env');
    for (const name of beside) copyFileSync(join(from, name), join(folder, name));
    kind.prepare({ folder, card: image, board, processors, tools });
    const { partitions } = await readImage(image);
    const network = new EmulatedNetwork(folder, !kind.keepsTime);
    await network.dhcp(true);
    const pins = parseBoardPins(readFileSync(join(treeRoot, 'board', board.name, 'pins.json'), 'utf8'));
    return QemuTarget.#make({
      ...{ kind, board, processors, pins, folder, image, partitions, bundle, tools, network },
      boxes: [],
    });
  }

  static async #make(bench: Bench): Promise<QemuTarget> {
    const number = bench.boxes.length + 1;
    const folder = join(bench.folder, `box${number}`);
    mkdirSync(folder);
    const { kind, board, processors, pins, tools, folder: shared } = bench;
    const wire = bench.network.wire();
    const machine = await Machine.create({ kind, board, processors, pins, folder, shared, tools, wire });
    const name = `${board.emulator.machine.replace(/,.*/, '')} ${number}`;
    const label = { serial: newSerial(nodeEntropy), claimCode: newCode(nodeEntropy) };
    const target = new QemuTarget(bench, { name, folder, wire, label }, machine);
    bench.boxes.push(target);
    await target.card.flash();
    return target;
  }

  readonly power: Power = {
    on: async (clock) => {
      this.#switchedOff = false;
      await this.#machine.start({ clock });
      this.#restarts = 0;
    },
    off: async () => {
      if (this.#machine.running) this.#forgotten = await this.#machine.cutPower();
    },
    forgotten: () => this.#forgotten,
    switchedOff: async (timeoutMs) => {
      for (let waitedMs = 0; !this.#switchedOff; waitedMs += 50) {
        if (waitedMs >= timeoutMs) throw new Error(`the box is still on after ${timeoutMs / 1000} s`);
        await delay(50);
      }
    },
    restarts: () => this.#restarts,
  };

  readonly lights: Lights = {
    sample: async () => {
      const { kind, pins } = this.#bench;
      const { address, bytes } = kind.levels;
      const size = bytes === 1 ? 'b' : 'w';
      const said = await this.#machine.monitor.human(`xp /1x${size} 0x${address.toString(16)}`);
      const bits = Number(said.split(' ').at(-1));
      const isOn = ({ line }: { readonly line: number }) => (bits & (1 << line)) !== 0;
      return { atMs: performance.now(), green: isOn(pins.leds.green), amber: isOn(pins.leds.amber) };
    },
  };

  readonly button: Button = {
    press: () => this.#pressButton(true),
    release: () => this.#pressButton(false),
  };

  get network(): Network {
    const { network, kind } = this.#bench;
    return {
      desktop: network.desktop,
      second: network.second,
      address: () => network.address(this.#wire.mac),
      dhcp: (on) => network.dhcp(on),
      cable: async (plugged) => {
        if (kind.plugCable === undefined) throw new Error(String(this.capabilities.cable));
        await kind.plugCable(this.#machine, plugged);
      },
    };
  }

  readonly disks: Disks = {
    attach: async (bytes) => {
      const id = `disk${++this.#filesMade}`;
      this.#makeImage([this.#driveFile(id), String(bytes)]);
      await this.#plugIn(id);
      return { id, bytes };
    },
    detach: ({ id }: AttachedDisk) => this.#machine.detach(id),
    attachAgain: ({ id }: AttachedDisk) => this.#plugIn(id),
    answers: ({ id }: AttachedDisk, answering) => this.#machine.answers(this.#driveFile(id), answering),
  };

  readonly sticks: Sticks = {
    plugIn: async (bundle) => {
      const id = `stick${++this.#filesMade}`;
      const file = join(this.#folder, `${id}.img`);
      makeStick(file, bundle, this.#bench.tools);
      await this.#machine.plugStick(id, file);
    },
  };

  readonly card: Card = {
    flash: async () => {
      await this.#machine.end();
      const { kind, image } = this.#bench;
      if (kind.cardFormat === 'raw') {
        const card = join(this.#folder, 'card.img');
        run('cp', ['--sparse=always', image, card]);
        truncateSync(card, cardBytes);
        writeAt(card, this.#identity);
        this.#machine.equip({ card, drives: [] });
        return;
      }
      // Another file: snapshots are in the old one.
      const card = join(this.#folder, `card${++this.#filesMade}.qcow2`);
      this.#makeImage(['-b', image, '-F', 'raw', card, String(cardBytes)]);
      this.#provision(card);
      this.#machine.equip({ card, drives: [] });
    },
  };

  readonly snapshots: Snapshots = {
    save: async (name) => {
      await this.#machine.monitor.deed(`savevm ${name}`);
      this.#snapshots.set(name, this.#machine.storage);
    },
    has: (name) => this.#snapshots.has(name),
    restore: async (name) => {
      const storage = this.#snapshots.get(name);
      if (storage === undefined) throw new Error(`there is no snapshot ${name}`);
      await this.#machine.end();
      this.#machine.equip(storage);
      this.#switchedOff = false;
      await this.#machine.start({ snapshot: name });
      this.#restarts = 0;
      this.console.skip();
    },
  };

  readonly updates: Updates = { bundle: () => this.#bench.bundle };

  addBox(): Promise<Target> {
    return QemuTarget.#make(this.#bench);
  }

  processorSeconds(): number {
    return this.#bench.boxes.reduce((sum, box) => sum + box.#machine.processorSeconds, 0);
  }

  async close(): Promise<void> {
    for (const box of this.#bench.boxes) await box.#machine.close();
    await this.#bench.network.close();
  }

  #driveFile(id: string): string {
    return join(this.#folder, `${id}.qcow2`);
  }

  /** Writes what the program for cards would, into a file that only QEMU's tools know. */
  #provision(card: string): void {
    const { folder, tools } = this.#bench;
    const { offset, bytes } = this.#identity;
    const file = join(this.#folder, 'identity');
    writeFileSync(file, bytes);
    const command = `write -q -s ${file} ${offset} ${bytes.length}`;
    tools.run('qemu-io', ['-f', 'qcow2', '-c', command, card], [folder]);
  }

  #plugIn(id: string): Promise<void> {
    return this.#machine.attach({ id, file: this.#driveFile(id) });
  }

  async #pressButton(pressed: boolean): Promise<void> {
    const { kind, pins } = this.#bench;
    if (kind.pressButton === undefined) throw new Error(String(this.capabilities.button));
    await kind.pressButton(this.#machine, pins, pressed);
  }

  #makeImage(words: readonly string[]): void {
    this.#bench.tools.run('qemu-img', ['create', '-q', '-f', 'qcow2', ...words], [this.#bench.folder]);
  }
}

function fileLike(folder: string, end: string): string {
  const names = existsSync(folder) ? readdirSync(folder).filter((each) => each.endsWith(end)) : [];
  const newest = newestOf(names.map((name) => join(folder, name)));
  if (newest === undefined) throw new Error(`no file *${end} in ${folder}: npm run image makes it`);
  return newest;
}

async function readImage(path: string): Promise<Image> {
  const image = await Image.open(path);
  await image.close();
  return image;
}

function writeAt(path: string, { offset, bytes }: Patch): void {
  const descriptor = openSync(path, 'r+');
  try {
    writeSync(descriptor, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(descriptor);
  }
}
