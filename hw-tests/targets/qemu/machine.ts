import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ImageTools } from '../../../firmware/stages/tools.ts';
import type { Tap } from '../../../scripts/lan/network.ts';
import { AwaitedSocket } from './awaited-socket.ts';
import { Monitor } from './monitor.ts';

/** A disk that the machine has beside its card. */
export interface Drive {
  readonly id: string;
  readonly file: string;
}

/** The card file and the disks beside it. */
export interface Storage {
  readonly card: string;
  readonly drives: readonly Drive[];
}

/** What a machine is made of; see `machineWords`. */
export interface MachineParts {
  /** Where its sockets are. */
  readonly folder: string;
  /** All that QEMU opens is in here. */
  readonly shared: string;
  readonly tools: ImageTools;
  readonly bootLoader: string;
  /** What the boot loader reads from its flash. */
  readonly environment: string;
  readonly deviceTree: string;
  readonly tap: Tap;
  readonly mac: string;
}

const startTimeoutMs = 20_000;

/** What the device tree depends on; a snapshot is of one kind only. */
export const machineKind = [...['-cpu', 'max,pauth=off', '-smp', '2', '-m', '512M', '-nodefaults']] as const;
export const machineName = 'virt,acpi=off';

/** Where U-Boot looks for its environment. */
const secondFlash = 0x400_0000;

/** One QEMU process after another, on the same sockets. */
export class Machine {
  readonly monitor: Monitor;
  readonly console: AwaitedSocket;
  readonly root: AwaitedSocket;
  readonly #qtest: AwaitedSocket;
  readonly #parts: MachineParts;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  private constructor(
    parts: MachineParts,
    sockets: Readonly<Record<'monitor' | 'console' | 'root' | 'qtest', AwaitedSocket>>,
  ) {
    this.#parts = parts;
    this.monitor = new Monitor(sockets.monitor);
    this.console = sockets.console;
    this.root = sockets.root;
    this.#qtest = sockets.qtest;
  }

  static async create(parts: MachineParts): Promise<Machine> {
    const listen = (name: string) => AwaitedSocket.listen(join(parts.folder, `${name}.sock`));
    return new Machine(parts, {
      monitor: await listen('monitor'),
      console: await listen('console'),
      root: await listen('root'),
      qtest: await listen('qtest'),
    });
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Starts QEMU with this card and these drives, at a snapshot's moment or at power-on. */
  async start({ card, drives }: Storage, snapshot?: string): Promise<void> {
    if (this.running) throw new Error('the machine is on already');
    const { folder, shared, tools, tap } = this.#parts;
    this.monitor.reset();
    const words = [...this.#words(card, drives), ...(snapshot === undefined ? [] : ['-loadvm', snapshot])];
    const child = tools.spawn('qemu-system-aarch64', words, [shared], {
      through: tap.enter,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(folder, 'qemu.log'), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#process = child;
    this.#ended = new Promise((resolve) =>
      child.once('close', () => {
        this.#process = undefined;
        this.monitor.gone();
        resolve();
      }),
    );
    const late = delay(startTimeoutMs).then(() => 'late');
    const ended = this.#ended.then(() => 'ended');
    const outcome = await Promise.race([this.monitor.ready(), late, ended]);
    if (outcome !== undefined) throw new Error(`QEMU ${outcome} at its start; see ${folder}/qemu.log`);
  }

  /** As when its plug is pulled: what it had not written to its disks is lost. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#ended;
  }

  /** A word to QEMU's test protocol: lines into the machine that no other protocol has. */
  qtest(line: string): void {
    this.#qtest.write(`${line}\n`);
  }

  async close(): Promise<void> {
    await this.kill();
    for (const socket of [this.console, this.root, this.#qtest]) socket.close();
  }

  #words(card: string, drives: readonly Drive[]): readonly string[] {
    const { bootLoader, environment, deviceTree, tap, mac } = this.#parts;
    const socket = (id: string, { path }: AwaitedSocket) => ['-chardev', `socket,id=${id},path=${path}`];
    const monitor = join(this.#parts.folder, 'monitor.sock');
    return [
      ...['-machine', machineName, ...machineKind, '-accel', 'tcg,thread=multi', '-display', 'none'],
      ...['-bios', bootLoader, '-dtb', deviceTree],
      ...['-device', `loader,file=${environment},addr=0x${secondFlash.toString(16)},force-raw=on`],
      // Shut down, it stands still, so that its lights can be looked at.
      ...['-action', 'watchdog=reset,shutdown=pause', '-device', 'i6300esb'],
      ...['-blockdev', blockNode('card', card), '-device', 'virtio-blk-device,drive=card'],
      ...['-device', 'virtio-scsi-device,id=scsi', '-device', 'virtio-rng-device'],
      ...drives.flatMap(({ id, file }) => ['-blockdev', blockNode(id, file), '-device', scsiDisk(id)]),
      ...['-netdev', `tap,id=wire,ifname=${tap.interfaceName},script=no,downscript=no`],
      ...['-device', `virtio-net-device,id=net,netdev=wire,mac=${mac}`],
      ...[...socket('serial', this.console), '-serial', 'chardev:serial'],
      ...[
        '-device',
        'virtio-serial-device',
        ...socket('root', this.root),
        '-device',
        'virtconsole,chardev=root',
      ],
      ...['-chardev', `socket,id=monitor,path=${monitor}`, '-mon', 'chardev=monitor,mode=control'],
      ...[...socket('qtest', this.#qtest), '-qtest', 'chardev:qtest', '-qtest-log', 'none'],
    ];
  }
}

function blockNode(name: string, file: string): string {
  return `driver=qcow2,node-name=${name},file.driver=file,file.filename=${file}`;
}

/** A disk as the words of `-device`. */
function scsiDisk(id: string): string {
  return `scsi-hd,bus=scsi.0,drive=${id},id=${id},serial=${id}`;
}
