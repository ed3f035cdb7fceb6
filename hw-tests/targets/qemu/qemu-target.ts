import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root as treeRoot } from '../../../firmware/paths.ts';
import { run } from '../../../firmware/stages/run.ts';
import { ImageTools } from '../../../firmware/stages/tools.ts';
import { whyNoLan } from '../../../scripts/lan/network.ts';
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
  Target,
  Updates,
} from '../../target.ts';
import { EmulatedNetwork } from './emulated-network.ts';
import { Machine, machineKind, machineName, type Storage } from './machine.ts';

/** PL061's data register, all lines of it; lights and button as `board/qemu-virt/pins.json` has them. */
const gpioData = 0x90303fc;
const greenLine = 5;
const amberLine = 6;
const buttonLine = 4;

/** The image is as small as it can be; people have cards of several gigabytes. */
const cardBytes = 4 * 1024 ** 3;

const pullTimeoutMs = 30_000;

/** What all boxes of one run share. */
interface Bench {
  readonly folder: string;
  readonly image: string;
  readonly bundle: string;
  readonly bootLoader: string;
  readonly environment: string;
  readonly deviceTree: string;
  readonly tools: ImageTools;
  readonly network: EmulatedNetwork;
  readonly boxes: QemuTarget[];
}

/** A box on QEMU's `virt` machine. */
export class QemuTarget implements Target {
  readonly name: string;
  readonly capabilities: Capabilities = {
    power: true,
    lights: true,
    button: true,
    disks: true,
    'same disk': true,
    cable: true,
    dhcp: true,
    card: true,
    snapshots: true,
    'root shell': true,
    updates: true,
    'more boxes': true,
  };
  readonly console: BoxConsole;
  readonly root: RootShell;
  readonly #bench: Bench;
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #mac: string;
  readonly #snapshots = new Map<string, Storage>();
  #storage: Storage = { card: '', drives: [] };
  #filesMade = 0;
  #gpio: string | undefined;
  #restarts = 0;
  #switchedOff = false;

  private constructor(
    bench: Bench,
    place: { readonly name: string; readonly folder: string; readonly mac: string },
    machine: Machine,
  ) {
    this.name = place.name;
    this.#bench = bench;
    this.#folder = place.folder;
    this.#mac = place.mac;
    this.#machine = machine;
    this.console = new BoxConsole(machine.console);
    this.root = new RootShell(machine.root);
    machine.monitor.onEvent((event) => {
      if (event === 'RESET') this.#restarts++;
      if (event === 'SHUTDOWN') this.#switchedOff = true;
    });
  }

  /** A box with a fresh card, switched off. `folder` is empty; `images` is what `npm run image` made. */
  static async open(folder: string, images: string, say: (line: string) => void): Promise<QemuTarget> {
    const reason = whyNoLan();
    if (reason !== undefined) throw new Error(reason);
    const tools = ImageTools.open(say);
    const image = join(folder, 'card.img');
    // A copy: the image may be made anew while tests run.
    run('cp', ['--sparse=always', fileLike(images, /-qemu-virt\.img$/), image]);
    const bundle = join(folder, 'update.raucb');
    copyFileSync(fileLike(images, /\.raucb$/), bundle);
    const bootLoader = join(folder, 'u-boot.bin');
    copyFileSync(join(images, 'u-boot.bin'), bootLoader);
    const environment = join(folder, 'u-boot.env');
    copyFileSync(join(images, 'u-boot.env'), environment);
    copyFileSync(join(images, 'overlay.dtbo'), join(folder, 'overlay.dtbo'));
    const deviceTree = makeDeviceTree(folder, tools);
    const network = new EmulatedNetwork(folder);
    await network.dhcp(true);
    return QemuTarget.#make({
      folder,
      image,
      bundle,
      bootLoader,
      environment,
      deviceTree,
      tools,
      network,
      boxes: [],
    });
  }

  static async #make(bench: Bench): Promise<QemuTarget> {
    const number = bench.boxes.length + 1;
    const folder = join(bench.folder, `box${number}`);
    mkdirSync(folder);
    const { tap, mac } = bench.network.wire();
    const { tools, bootLoader, environment, deviceTree } = bench;
    const shared = bench.folder;
    const machine = await Machine.create({
      folder,
      shared,
      tools,
      bootLoader,
      environment,
      deviceTree,
      tap,
      mac,
    });
    const target = new QemuTarget(bench, { name: `qemu-virt ${number}`, folder, mac }, machine);
    bench.boxes.push(target);
    await target.card.flash();
    return target;
  }

  readonly power: Power = {
    on: async () => {
      this.#switchedOff = false;
      await this.#machine.start(this.#storage);
      this.#restarts = 0;
    },
    off: () => this.#machine.kill(),
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
      const said = await this.#machine.monitor.human(`xp /1xb 0x${gpioData.toString(16)}`);
      const bits = Number(said.split(' ').at(-1));
      const isOn = (line: number) => (bits & (1 << line)) !== 0;
      return { atMs: performance.now(), green: isOn(greenLine), amber: isOn(amberLine) };
    },
  };

  readonly button: Button = {
    press: () => this.#setButton(1),
    release: () => this.#setButton(0),
  };

  get network(): Network {
    const { network } = this.#bench;
    return {
      desktop: network.desktop,
      second: network.second,
      address: () => network.address(this.#mac),
      dhcp: (on) => network.dhcp(on),
      cable: async (plugged) => {
        await this.#machine.monitor.run('set_link', { name: 'net', up: plugged });
      },
    };
  }

  readonly disks: Disks = {
    attach: async (bytes) => {
      const id = `disk${++this.#filesMade}`;
      this.#makeImage([this.#driveFile(id), String(bytes)]);
      await this.#plugIn({ id, bytes });
      return { id, bytes };
    },
    detach: async ({ id }: AttachedDisk) => {
      const { card, drives } = this.#storage;
      this.#storage = { card, drives: drives.filter((drive) => drive.id !== id) };
      if (!this.#machine.running) return;
      const { monitor } = this.#machine;
      await monitor.run('device_del', { id });
      // The device is gone when the guest's driver has let it go; until then its file is in use.
      await untilDone(() => monitor.run('blockdev-del', { 'node-name': id }), pullTimeoutMs);
    },
    attachAgain: (disk) => this.#plugIn(disk),
  };

  readonly card: Card = {
    flash: async () => {
      await this.#machine.kill();
      // Another file: snapshots are in the old one.
      const card = join(this.#folder, `card${++this.#filesMade}.qcow2`);
      this.#storage = { card, drives: [] };
      this.#makeImage(['-b', this.#bench.image, '-F', 'raw', card, String(cardBytes)]);
    },
  };

  readonly snapshots: Snapshots = {
    save: async (name) => {
      await this.#machine.monitor.deed(`savevm ${name}`);
      this.#snapshots.set(name, this.#storage);
    },
    has: (name) => this.#snapshots.has(name),
    restore: async (name) => {
      const storage = this.#snapshots.get(name);
      if (storage === undefined) throw new Error(`there is no snapshot ${name}`);
      await this.#machine.kill();
      this.#storage = storage;
      this.#switchedOff = false;
      await this.#machine.start(storage, name);
      this.#restarts = 0;
      this.console.skip();
    },
  };

  readonly updates: Updates = { bundle: () => this.#bench.bundle };

  addBox(): Promise<Target> {
    return QemuTarget.#make(this.#bench);
  }

  async close(): Promise<void> {
    for (const box of this.#bench.boxes) await box.#machine.close();
    await this.#bench.network.close();
  }

  #driveFile(id: string): string {
    return join(this.#folder, `${id}.qcow2`);
  }

  async #plugIn({ id }: AttachedDisk): Promise<void> {
    const file = this.#driveFile(id);
    const { monitor, running } = this.#machine;
    if (running) {
      await monitor.run('blockdev-add', {
        driver: 'qcow2',
        'node-name': id,
        file: { driver: 'file', filename: file },
      });
      await monitor.run('device_add', { driver: 'scsi-hd', bus: 'scsi.0', drive: id, id, serial: id });
    }
    const { card, drives } = this.#storage;
    this.#storage = { card, drives: [...drives, { id, file }] };
  }

  async #setButton(level: 0 | 1): Promise<void> {
    this.#gpio ??= await this.#findGpio();
    this.#machine.qtest(`set_irq_in ${this.#gpio} unnamed-gpio-in ${buttonLine} ${level}`);
  }

  /** Where QEMU has the controller of lights and button, in its tree of objects. */
  async #findGpio(): Promise<string> {
    const path = '/machine/unattached';
    const children = (await this.#machine.monitor.run('qom-list', { path })) as readonly {
      readonly name: string;
      readonly type: string;
    }[];
    const found = children.find(({ type }) => type === 'child<pl061>');
    if (found === undefined) throw new Error('this QEMU has no PL061');
    return `${path}/${found.name}`;
  }

  #makeImage(words: readonly string[]): void {
    this.#bench.tools.run('qemu-img', ['create', '-q', '-f', 'qcow2', ...words], [this.#bench.folder]);
  }
}

/** Tries again what fails, until it does not or the time is over; then with the last error. */
async function untilDone(attempt: () => Promise<unknown>, timeoutMs: number): Promise<void> {
  for (const endMs = performance.now() + timeoutMs; ; await delay(100)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
  }
}

/** QEMU's own device tree with the board's lights in it, as the firmware of a Pi puts them into its own. */
function makeDeviceTree(folder: string, tools: ImageTools): string {
  const [own, made] = [join(folder, 'qemu.dtb'), join(folder, 'board.dtb')];
  tools.run(
    'qemu-system-aarch64',
    ['-machine', `${machineName},dumpdtb=${own}`, ...machineKind, '-display', 'none'],
    [folder],
  );
  tools.run('fdtoverlay', ['-i', own, '-o', made, join(folder, 'overlay.dtbo')], [folder]);
  return made;
}

function fileLike(folder: string, name: RegExp): string {
  const found = existsSync(folder) ? readdirSync(folder).find((each) => name.test(each)) : undefined;
  if (found === undefined) throw new Error(`no image in ${folder}: npm run image -- --board qemu-virt`);
  return join(folder, found);
}

export const defaultImages = join(treeRoot, 'var/image/qemu-virt');
