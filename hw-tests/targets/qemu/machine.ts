import type { ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Board } from '../../../firmware/board.ts';
import type { ImageTools } from '../../../firmware/stages/tools.ts';
import { cpuSecondsOf } from '../../../scripts/lan/processes.ts';
import type { BoardPins } from '../../../src/device/pins.ts';
import type { Forgotten } from '../../target.ts';
import { AwaitedSocket } from './awaited-socket.ts';
import type { Drive, MachineKind, Storage, Wire } from './machine-kind.ts';
import { Monitor } from './monitor.ts';
import { VolatileDisks } from './volatile-disks.ts';

/** What a machine is made of. */
export interface MachineOptions {
  readonly kind: MachineKind;
  readonly board: Board;
  /** Of {@link ImageFiles}. */
  readonly processors: number;
  readonly pins: BoardPins;
  /** Where its sockets are. */
  readonly folder: string;
  /** All that QEMU opens is in here, what the kind prepared too. */
  readonly shared: string;
  readonly tools: ImageTools;
  readonly wire: Wire;
}

/** How a machine is started; one of them. */
export interface MachineStart {
  readonly snapshot?: string;
  readonly clock?: Date | undefined;
}

const startTimeoutMs = 20_000;
const pullTimeoutMs = 30_000;
/** No answer of QEMU's monitor takes as long while it runs. */
const standstillMs = 5000;

/** One QEMU process after another, on the same sockets. */
export class Machine {
  readonly monitor: Monitor;
  readonly console: AwaitedSocket;
  readonly root: AwaitedSocket;
  readonly #qtest: AwaitedSocket;
  readonly #options: MachineOptions;
  readonly #disks: VolatileDisks;
  readonly #hanging = new Set<string>();
  #storage: Storage = { card: '', drives: [] };
  #process: ChildProcess | undefined;
  /** Of this computer's processors: by processes that have ended, and by the one that runs, when that was last looked at. */
  #spentSeconds = 0;
  #runningSeconds = 0;
  #starts = 0;
  #ended: Promise<void> = Promise.resolve();

  private constructor(
    options: MachineOptions,
    sockets: Readonly<Record<'monitor' | 'console' | 'root' | 'qtest', AwaitedSocket>>,
  ) {
    this.#options = options;
    this.#disks = new VolatileDisks(options.folder);
    this.monitor = new Monitor(sockets.monitor);
    this.monitor.onEvent((event) => {
      if (event === 'RESET') this.#begin();
    });
    this.console = sockets.console;
    this.root = sockets.root;
    this.#qtest = sockets.qtest;
  }

  static async create(options: MachineOptions): Promise<Machine> {
    const listen = (name: string) => AwaitedSocket.listen(join(options.folder, `${name}.sock`));
    return new Machine(options, {
      monitor: await listen('monitor'),
      console: await listen('console'),
      root: await listen('root'),
      qtest: await listen('qtest'),
    });
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  get storage(): Storage {
    return this.#storage;
  }

  /** Another card, and other disks; while it is off. */
  equip(storage: Storage): void {
    if (this.running) throw new Error('the machine is on');
    this.#storage = storage;
  }

  /** Plugs a disk in. */
  async attach(drive: Drive): Promise<void> {
    const { card, drives } = this.#storage;
    this.#storage = { card, drives: [...drives, drive] };
    if (!this.running) return;
    const { id, file } = drive;
    await this.monitor.run('blockdev-add', await this.#node(id, file));
    await this.monitor.run('device_add', this.#options.kind.disk(id));
  }

  /** Pulls it. */
  async detach(id: string): Promise<void> {
    const { card, drives } = this.#storage;
    this.#storage = { card, drives: drives.filter((drive) => drive.id !== id) };
    if (!this.running) return;
    await this.monitor.run('device_del', { id });
    // The device is gone when the guest's driver has let it go; until then its file is in use.
    await untilDone(() => this.monitor.run('blockdev-del', { 'node-name': id }), pullTimeoutMs);
  }

  /** Whether the disk in this file answers, until the machine ends. */
  async answers(file: string, answering: boolean): Promise<void> {
    this.#hanging.delete(file);
    await this.#disks.serve(file, answering ? 'answers' : 'hangs');
    if (answering) return;
    this.#hanging.add(file);
    void this.#letReset(file);
  }

  /**
   * QEMU resets a machine only when its disks have answered, and stands still until then; of a real one a reset asks no
   * disk. So what they were asked before it fails.
   */
  async #letReset(file: string): Promise<void> {
    while (this.running && this.#hanging.has(file)) {
      const answer = this.monitor.run('query-status').then(
        () => 'lives' as const,
        () => 'gone' as const,
      );
      const isStill = (await Promise.race([answer, delay(standstillMs)])) === undefined;
      if (isStill) await this.#disks.serve(file, 'fails');
      await answer;
      if (isStill && this.#hanging.has(file)) await this.#disks.serve(file, 'hangs');
      await delay(1000);
    }
    this.#hanging.delete(file);
  }

  /** Plugs a memory stick in, until the machine ends. */
  async plugStick(id: string, file: string): Promise<void> {
    await this.monitor.run('blockdev-add', {
      driver: 'raw',
      'node-name': id,
      'read-only': true,
      file: { driver: 'file', filename: file },
    });
    await this.monitor.run('device_add', { driver: 'usb-storage', drive: id, id, removable: true });
  }

  /** Starts QEMU with its card and its disks: at a snapshot's moment, or at power-on, when its clock may say this. */
  async start({ snapshot, clock }: MachineStart = {}): Promise<void> {
    if (this.running) throw new Error('the machine is on already');
    const { folder, shared, tools, wire } = this.#options;
    this.monitor.reset();
    const words = [...(await this.#words())];
    if (snapshot !== undefined) words.push('-loadvm', snapshot);
    if (clock !== undefined) words.push('-rtc', `base=${clock.toISOString().slice(0, 19)}`);
    const child = tools.spawn('qemu-system-aarch64', words, [shared], {
      through: wire.tap.enter,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(join(folder, 'qemu.log'), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#process = child;
    this.#ended = new Promise((resolve) =>
      child.once('close', () => {
        this.#process = undefined;
        this.#spentSeconds += this.#runningSeconds;
        this.#runningSeconds = 0;
        this.monitor.gone();
        resolve();
      }),
    );
    const late = delay(startTimeoutMs).then(() => 'late');
    const ended = this.#ended.then(() => 'ended');
    const outcome = await Promise.race([this.monitor.ready(), late, ended]);
    if (outcome !== undefined) throw new Error(`QEMU ${outcome} at its start; see ${folder}/qemu.log`);
    this.#begin();
  }

  /** As when its plug is pulled: of what its disks had not been told to flush some is lost. */
  async cutPower(): Promise<Forgotten> {
    await this.#kill();
    const cuts = await this.#disks.cutPower();
    const card = cuts.get(this.#storage.card)?.lost ?? 0;
    const all = [...cuts.values()].reduce((sum, { lost }) => sum + lost, 0);
    return { card, disks: all - card };
  }

  /** Ends it; all that it wrote is there. */
  async end(): Promise<void> {
    await this.#kill();
    await this.#disks.settle();
  }

  /** A word to QEMU's test protocol: lines into the machine that no other protocol has. */
  qtest(line: string): void {
    this.#qtest.write(`${line}\n`);
  }

  async close(): Promise<void> {
    await this.end();
    await this.#disks.close();
    for (const socket of [this.console, this.root, this.#qtest]) socket.close();
  }

  /** Of this computer's processors, used by all its processes so far. */
  get processorSeconds(): number {
    const child = this.#process;
    // One that was killed is counted as it was when it was.
    if (child?.pid !== undefined && !child.killed) {
      try {
        this.#runningSeconds = cpuSecondsOf(child.pid);
      } catch {
        // It has just ended by itself.
      }
    }
    return this.#spentSeconds + this.#runningSeconds;
  }

  /** How often it was started, or started again by itself. */
  get starts(): number {
    return this.#starts;
  }

  #begin(): void {
    const { kind, pins, wire } = this.#options;
    const start = ++this.#starts;
    kind.onReset?.(this, pins, wire).catch((error: unknown) => {
      if (this.running && start === this.#starts) console.error(error);
    });
  }

  async #kill(): Promise<void> {
    this.#hanging.clear();
    void this.processorSeconds;
    this.#process?.kill('SIGKILL');
    await this.#ended;
  }

  /** A block device as `-blockdev` takes it. */
  async #node(name: string, file: string): Promise<Readonly<Record<string, unknown>>> {
    const path = await this.#disks.socketOf(file);
    return { driver: 'qcow2', 'node-name': name, file: { driver: 'nbd', server: { type: 'unix', path } } };
  }

  async #words(): Promise<readonly string[]> {
    const storage = this.#storage;
    const { kind, board, processors, shared, wire, folder } = this.#options;
    const disks = storage.drives.map(({ id, file }) => this.#node(id, file));
    if (kind.cardFormat === 'qcow2') disks.push(this.#node('card', storage.card));
    const nodes = await Promise.all(disks);
    const socket = (id: string, path: string) => ['-chardev', `socket,id=${id},path=${path}`];
    return [
      ...['-nodefaults', '-accel', 'tcg,thread=multi', '-display', 'none'],
      // Shut down, it stands still, so that its lights can be looked at.
      ...['-action', 'watchdog=reset,shutdown=pause'],
      ...socket('serial', this.console.path),
      ...socket('root', this.root.path),
      ...nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]),
      ...kind.words({ folder: shared, board, processors, storage, wire }),
      ...[...socket('monitor', join(folder, 'monitor.sock')), '-mon', 'chardev=monitor,mode=control'],
      ...[...socket('qtest', this.#qtest.path), '-qtest', 'chardev:qtest', '-qtest-log', 'none'],
    ];
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
