import { join } from 'node:path';
import { toHex } from './base/bytes.ts';
import { AetherError, describeError, hasCode } from './base/errors.ts';
import { mountWaitMs } from './base/face-limits.ts';
import type { Log } from './base/log.ts';
import type { Box, MachineFacts } from './box.ts';
import type { BoxMachine } from './box-control.ts';
import { AdoptedDisks } from './device/health/adopted-disks.ts';
import { HardwareWatch, type WatchedVolume } from './device/health/hardware-watch.ts';
import { type Clock, sleep } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import { type DiskShelf, diskNotBlank, type Machine } from './ports/machine.ts';
import type { VolumeOptions } from './store/volume.ts';

export interface WatchedMachineOptions {
  /** Volumes that a person configured. */
  readonly volumes: readonly WatchedVolume[];
  /** Below it disks are mounted that the box took into use. */
  readonly mounts: string;
  /** The computer is still starting: disks that the box took into use may be found a while later. */
  readonly awaitsDisks: boolean;
  /** The volume in a folder. */
  readonly volumeAt: (path: string) => VolumeOptions;
}

export interface WatchedMachinePorts {
  readonly machine: Machine;
  readonly shelf: DiskShelf;
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly clockIsKnown?: () => boolean;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The computer of a box: watched, with the disks that it has taken into use. */
export class WatchedMachine implements BoxMachine {
  readonly #options: WatchedMachineOptions;
  readonly #ports: WatchedMachinePorts;
  readonly #adopted: AdoptedDisks;
  readonly #watch: HardwareWatch;
  #box: Box | undefined;
  /** Disks that were emptied and taken off. */
  readonly #released = new Set<string>();
  /** Why disks that are attached cannot be mounted, by label. */
  readonly #notMounted = new Map<string, string>();
  #mounting: Promise<void> = Promise.resolve();
  #turn: Promise<void> = Promise.resolve();
  /** A look for disks that were away is due and has not begun. */
  #welcomeWaits = false;
  #closed = false;

  private constructor(
    options: WatchedMachineOptions,
    ports: WatchedMachinePorts,
    parts: { readonly adopted: AdoptedDisks; readonly watch: HardwareWatch },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#adopted = parts.adopted;
    this.#watch = parts.watch;
  }

  /** Mounts what was adopted and begins to watch. Errors: those of the state disk. */
  static async start(options: WatchedMachineOptions, ports: WatchedMachinePorts): Promise<WatchedMachine> {
    const adopted = await AdoptedDisks.open(ports.stateDisk, ports);
    // One that comes later is taken when it is there, as one that is plugged in; one that hangs keeps whoever mounts it.
    const over = new AbortController();
    const mountings = new Map<string, Mounting>();
    const mounts = adopted.labels.map(async (label) => {
      const folder = join(options.mounts, label);
      const mounting = options.awaitsDisks
        ? await mountWhenThere(ports.shelf, { label, folder, signal: over.signal })
        : await tryToMount(ports.shelf, label, folder);
      mountings.set(label, mounting);
    });
    const late = sleep(ports.clock, mountWaitMs, over.signal).catch(() => {});
    await Promise.race([Promise.all(mounts), late]);
    over.abort();
    const watched = () => [
      ...options.volumes,
      ...adopted.labels.map((label) => ({ name: label, path: join(options.mounts, label) })),
    ];
    const watch = await HardwareWatch.start(watched, { ...ports, log: ports.log.part('health') });
    const machine = new WatchedMachine(options, ports, { adopted, watch });
    for (const [label, mounting] of mountings) machine.#noteMount(label, mounting);
    return machine;
  }

  /** Volumes on the disks that the box took into use. */
  volumes(): readonly VolumeOptions[] {
    return this.#adopted.labels.map((label) => this.#options.volumeAt(join(this.#options.mounts, label)));
  }

  /** Tells `box` of disks that go, and of those that may have come back. */
  attach(box: Box): void {
    this.#box = box;
    for (const [label, reason] of this.#notMounted) box.disks.noteMount(label, reason);
    this.#watch.onGone((volume) => {
      box.disks.store.pulled(volume);
      this.#clearPlace(volume);
    });
    this.#watch.onSeen(() => this.#welcome(box));
    box.disks.onChange(() => this.#letGo(box));
    this.#letGo(box);
  }

  facts(): Pick<MachineFacts, 'hardware' | 'disks'> {
    return this.#watch.facts();
  }

  onChange(listener: () => void): () => void {
    return this.#watch.onChange(listener);
  }

  locate(device: string, on: boolean): Promise<void> {
    return this.#watch.locate(device, on);
  }

  adopt(device: string): Promise<void> {
    return this.#inTurn(() => this.#adopt(device));
  }

  drop(volume: string): Promise<void> {
    return this.#inTurn(() => this.#drop(volume));
  }

  async #adopt(device: string): Promise<void> {
    const { shelf, entropy, log } = this.#ports;
    const { mounts, volumeAt } = this.#options;
    const filled = this.#watch.boxLabel(device);
    if (filled !== undefined) return this.#takeBack(device, filled);
    this.#watch.requireBlank(device);
    const label = `aether-${toHex(entropy.bytes(3))}`;
    await shelf.format(device, label);
    this.#requireOpen();
    // Noted before it holds anything: a box that loses power now mounts it at its next start.
    await this.#adopted.add(label);
    const folder = join(mounts, label);
    if (!(await this.#mount(label))) log.warn('disk is not mounted yet', { device, label });
    await this.#box?.disks.attach(volumeAt(folder));
    await this.#watch.look();
    log.info('disk taken into use', { device, label });
  }

  /** A disk that a box filled: this one before a factory reset or with another card, or another box of the pool. */
  async #takeBack(device: string, label: string): Promise<void> {
    const { log } = this.#ports;
    const { mounts, volumeAt } = this.#options;
    if (this.hasTaken(label)) throw this.#alreadyTaken(device, label);
    const isMounted = await this.#mount(label);
    const notMounted = this.#notMounted.get(label);
    this.#requireOpen();
    await this.#adopted.add(label);
    await this.#box?.disks.attach(volumeAt(join(mounts, label)));
    const volume = this.#box?.disks.facts().volumes.find(({ name }) => name === label);
    if (!isMounted || (volume?.error ?? null) !== null) {
      await this.#drop(label);
      const reason = notMounted ?? volume?.error ?? 'it cannot be mounted';
      throw new AetherError('DISK_ADOPT_FAILED', `disk ${device} is not taken back: ${reason}`, {
        help:
          notMounted === undefined
            ? 'Only a box of the pool that filled it can read it. To use it anew, make it blank.'
            : notMountedHelp,
      });
    }
    await this.#watch.look();
    log.info('disk taken back', { device, label });
  }

  #alreadyTaken(device: string, label: string): AetherError {
    const notMounted = this.#notMounted.get(label);
    if (notMounted === undefined)
      return diskNotBlank(device, 'a disk of this box, which it looks at by itself');
    return new AetherError('DISK_ADOPT_FAILED', `disk ${device} cannot be mounted: ${notMounted}`, {
      help: notMountedHelp,
    });
  }

  hasTaken(volume: string): boolean {
    return this.#adopted.labels.includes(volume);
  }

  async #drop(volume: string): Promise<void> {
    const { shelf, log } = this.#ports;
    await this.#box?.disks.detach(volume, () => this.#adopted.remove(volume));
    this.#released.delete(volume);
    this.#mounting = this.#mounting.then(() => shelf.unmount(join(this.#options.mounts, volume)));
    await this.#mounting;
    this.#noteMount(volume, 'absent');
    await this.#watch.look();
    log.info('disk forgotten', { volume });
  }

  /** Takes off what the box mounted, once nothing is open there. A disk that is being formatted is not waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch.close();
    await this.#mounting;
    for (const label of this.#adopted.labels)
      await this.#ports.shelf.unmount(join(this.#options.mounts, label));
  }

  /** One disk is taken or dropped after the other: who asks twice finds what the first time has done. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(() => {
      this.#requireOpen();
      return action();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** What has closed writes nothing any more: its state may be the next one's. Errors: `BOX_ENDING`. */
  #requireOpen(): void {
    if (!this.#closed) return;
    throw new AetherError('BOX_ENDING', 'the box has closed meanwhile', { help: 'Ask again once it runs.' });
  }

  /** A disk that was emptied is taken off its folder, so that it may be pulled. */
  #letGo(box: Box): void {
    for (const { name, state } of box.disks.facts().volumes) {
      if (state !== 'retired' || !this.#adopted.labels.includes(name) || this.#released.has(name)) continue;
      this.#released.add(name);
      void this.#ports.shelf.unmount(join(this.#options.mounts, name));
    }
  }

  /** What is left of a disk that was pulled is taken off its folder: where it is, the disk cannot come back. */
  #clearPlace(name: string): void {
    if (!this.#adopted.labels.includes(name) || this.#released.has(name)) return;
    this.#mounting = this.#mounting.then(() => this.#ports.shelf.unmount(join(this.#options.mounts, name)));
  }

  /** A disk that was away is mounted where it belongs, and looked at. */
  #welcome(box: Box): void {
    // Notices come faster than a check ends: a look that has not begun finds what is there by then.
    if (this.#welcomeWaits) return;
    this.#welcomeWaits = true;
    this.#mounting = this.#mounting
      .then(async () => {
        this.#welcomeWaits = false;
        for (const name of this.#away(box)) {
          if (this.#closed) return;
          if (!this.hasTaken(name) || (await this.#mount(name))) await box.disks.store.reopen(name);
        }
      })
      .catch((error: unknown) => {
        this.#ports.log.warn('disk not opened again', { reason: describeError(error) });
      });
  }

  /** Volumes whose disks may have come back, or been plugged in anew. */
  #away(box: Box): readonly string[] {
    return box.disks
      .facts()
      .volumes.filter(
        ({ name, state }) => state === 'missing' || (state === 'failed' && this.#notMounted.has(name)),
      )
      .map(({ name }) => name);
  }

  /** Mounts a disk of this label where it belongs; false: it is not, and the status says why where that is known. */
  async #mount(label: string): Promise<boolean> {
    const mounting = await tryToMount(this.#ports.shelf, label, join(this.#options.mounts, label));
    this.#noteMount(label, mounting);
    return mounting === 'mounted';
  }

  /** Said once, not at each look. */
  #noteMount(label: string, mounting: Mounting): void {
    const reason = typeof mounting === 'string' ? undefined : mounting.reason;
    if (this.#notMounted.get(label) === reason) return;
    if (reason === undefined) this.#notMounted.delete(label);
    else {
      this.#notMounted.set(label, reason);
      this.#ports.log.error('disk cannot be mounted', { volume: label, reason });
    }
    this.#box?.disks.noteMount(label, reason);
  }
}

/** `absent`: its disk is not attached, or is still being checked. With a reason: it is attached and cannot be mounted. */
type Mounting = 'mounted' | 'absent' | { readonly reason: string };

const notMountedHelp =
  'Check its cable and power, and plug it in again; if that does not help, make it blank and take it as a new one.';

async function tryToMount(shelf: DiskShelf, label: string, folder: string): Promise<Mounting> {
  try {
    return (await shelf.mount(label, folder)) ? 'mounted' : 'absent';
  } catch (error) {
    if (hasCode(error, 'DISK_ADOPT_FAILED')) return { reason: error.message };
    throw error;
  }
}

/** Disks on USB are found seconds after the rest of the computer. Tries until `signal` aborts. */
async function mountWhenThere(
  shelf: DiskShelf,
  {
    label,
    folder,
    signal,
  }: { readonly label: string; readonly folder: string; readonly signal: AbortSignal },
): Promise<Mounting> {
  let isChanged = false;
  let wake = () => {};
  let mounting: Mounting = 'absent';
  const changed = () => {
    isChanged = true;
    wake();
  };
  const unsubscribe = shelf.onChange(changed);
  signal.addEventListener('abort', changed);
  while (!signal.aborted) {
    isChanged = false;
    mounting = await tryToMount(shelf, label, folder);
    if (mounting !== 'absent') break;
    if (!isChanged) await new Promise<void>((resolve) => (wake = resolve));
  }
  unsubscribe();
  return mounting;
}
