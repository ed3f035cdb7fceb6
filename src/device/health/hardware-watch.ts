import { describeError } from '../../base/errors.ts';
import {
  clockSetWithinMs,
  diskErrorWindowMs,
  diskListPeriodMs,
  firstLookMs,
  locateMs,
  machinePollMs,
  networkErrorsPerMinuteMin,
  networkErrorWindowMs,
  smartPollMs,
} from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import { releasedMs } from '../../base/version.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';
import type { Disk, DiskSpace } from '../../ports/disk.ts';
import {
  type DiskReading,
  type DiskShelf,
  diskNotBlank,
  diskUnknown,
  type Machine,
  type MachineReading,
} from '../../ports/machine.ts';
import {
  boxLabelOf,
  type DiskFacts,
  type HardwareFacts,
  type SmartFacts,
  unknownHardware,
} from '../../status/facts.ts';
import { noRates, noteTotals, type Rates, rateOf } from './rates.ts';
import { smartFromJson } from './smart.ts';

export interface WatchedVolume {
  readonly name: string;
  /** Its folder. */
  readonly path: string;
}

export interface HardwareWatchPorts {
  readonly machine: Machine;
  readonly shelf: DiskShelf;
  /** Where the box keeps its records. */
  readonly stateDisk: Pick<Disk, 'space'>;
  readonly clock: Clock;
  /** Whether what the clock shows is to be believed; where nobody asks, it is. */
  readonly clockIsKnown?: () => boolean;
  readonly log: Log;
}

/** Looks after the computer and its disks: slowly by the clock, and at once when the kernel says something. */
export class HardwareWatch {
  readonly #volumes: () => readonly WatchedVolume[];
  readonly #ports: HardwareWatchPorts;
  readonly #listeners = new Set<() => void>();
  readonly #goneListeners = new Set<(volume: string) => void>();
  readonly #seenListeners = new Set<() => void>();
  readonly #smart = new Map<string, SmartFacts | null>();
  readonly #locating = new Map<string, AbortController>();
  /** Volumes and the disk that each lies on; one whose disk went away is not in it. */
  readonly #homes = new Map<string, string>();
  readonly #startedMs: number;
  #machine: MachineReading | undefined;
  #recordsSpace: DiskSpace | null = null;
  #disks: readonly DiskReading[] = [];
  #networkErrors: Rates = noRates(networkErrorWindowMs);
  #diskErrors: Rates = noRates(diskErrorWindowMs);
  #listing: Promise<void> | undefined;
  #listAgain = false;
  #settled = false;
  #timers: Timer[] = [];
  #unsubscribe = () => {};

  private constructor(volumes: () => readonly WatchedVolume[], ports: HardwareWatchPorts) {
    this.#volumes = volumes;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
  }

  /** Resolves when the disks are known; the computer is read in the background. */
  static async start(
    volumes: () => readonly WatchedVolume[],
    ports: HardwareWatchPorts,
  ): Promise<HardwareWatch> {
    const watch = new HardwareWatch(volumes, ports);
    const { clock, shelf } = ports;
    await watch.#list();
    watch.#unsubscribe = shelf.onChange(() => void watch.#list());
    watch.#timers = [
      every(clock, machinePollMs, () => watch.#readMachine()),
      every(clock, diskListPeriodMs, () => watch.#list()),
      every(clock, smartPollMs, () => watch.#readSmart(watch.#disks)),
    ];
    watch.#timers.push(
      clock.after(firstLookMs, () => {
        watch.#settled = true;
        void watch.#readMachine();
        void watch.#readSmart(watch.#disks);
      }),
    );
    return watch;
  }

  facts(): { readonly hardware: HardwareFacts; readonly disks: readonly DiskFacts[] } {
    return { hardware: this.#hardware(), disks: this.#disks.map((disk) => this.#diskFacts(disk)) };
  }

  /** Calls `listener` when the facts are others; the function it returns ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` with the name of each volume whose disk went away. */
  onGone(listener: (volume: string) => void): void {
    this.#goneListeners.add(listener);
  }

  /** Blinks the lamp of a disk for a while, or no more. Errors: those of {@link DiskShelf.blink}. */
  async locate(device: string, on: boolean): Promise<void> {
    this.#require(device);
    this.#locating.get(device)?.abort();
    this.#locating.delete(device);
    if (on) await this.#blink(device);
    this.#changed();
  }

  /** Whether a disk may be formatted. Errors: `DISK_UNKNOWN`, `DISK_NOT_BLANK`. */
  requireBlank(device: string): void {
    const disk = this.#require(device);
    if (roleOf(disk) !== 'blank') throw diskNotBlank(device, disk.content);
  }

  /** The label of a disk that a box filled and that this one does not use; undefined: it is another. Errors: `DISK_UNKNOWN`. */
  boxLabel(device: string): string | undefined {
    const disk = this.#require(device);
    return boxLabelOf({ role: roleOf(disk), content: disk.content ?? null });
  }

  /** Looks at the disks now. */
  look(): Promise<void> {
    return this.#list();
  }

  /** Calls `listener` after the disks were looked at: some may be there that were not before. */
  onSeen(listener: () => void): void {
    this.#seenListeners.add(listener);
  }

  close(): void {
    this.#unsubscribe();
    for (const timer of this.#timers) timer.cancel();
    for (const blinking of this.#locating.values()) blinking.abort();
  }

  async #blink(device: string): Promise<void> {
    const { clock, shelf } = this.#ports;
    const ending = new AbortController();
    const timer = clock.after(locateMs, () => ending.abort());
    ending.signal.addEventListener('abort', () => timer.cancel());
    this.#locating.set(device, ending);
    const ended = () => {
      if (this.#locating.get(device) === ending) this.#locating.delete(device);
      this.#changed();
    };
    try {
      await shelf.blink(device, ending.signal, ended);
    } catch (error) {
      ending.abort();
      ended();
      throw error;
    }
  }

  async #readMachine(): Promise<void> {
    const { machine, stateDisk } = this.#ports;
    const reading = await machine.read();
    this.#machine = reading;
    this.#recordsSpace = await stateDisk.space().catch(() => null);
    const now = this.#ports.clock.monotonicMs();
    this.#networkErrors = noteTotals(this.#networkErrors, reading.networkErrors, now);
    this.#changed();
  }

  /** One list at a time; what happens during it makes another. */
  async #list(): Promise<void> {
    this.#listAgain = true;
    this.#listing ??= this.#listUntilQuiet().finally(() => {
      this.#listing = undefined;
    });
    await this.#listing;
  }

  async #listUntilQuiet(): Promise<void> {
    while (this.#listAgain) {
      this.#listAgain = false;
      await this.#listOnce();
    }
  }

  async #listOnce(): Promise<void> {
    const { shelf, clock, log } = this.#ports;
    try {
      const disks = await shelf.disks(this.#volumes().map(({ path }) => path));
      const fresh = disks.filter(({ device }) => !this.#disks.some((known) => known.device === device));
      this.#disks = disks.filter(({ sizeBytes }) => sizeBytes > 0);
      const totals = new Map(disks.map(({ device, errors }) => [device, errors]));
      this.#diskErrors = noteTotals(this.#diskErrors, totals, clock.monotonicMs());
      this.#noteHomes();
      for (const listener of this.#seenListeners) listener();
      if (this.#settled && fresh.length > 0) void this.#readSmart(fresh);
    } catch (error) {
      log.warn('disks cannot be listed', { reason: describeError(error) });
    }
    this.#changed();
  }

  #noteHomes(): void {
    for (const { name, path } of this.#volumes()) {
      const home = this.#disks.find(({ paths }) => paths.includes(path))?.device;
      const before = this.#homes.get(name);
      if (home !== undefined) this.#homes.set(name, home);
      else this.#homes.delete(name);
      if (before === undefined || before === home) continue;
      this.#ports.log.warn('disk went away', { volume: name, device: before });
      for (const listener of this.#goneListeners) listener(name);
    }
  }

  async #readSmart(disks: readonly DiskReading[]): Promise<void> {
    for (const { device } of disks)
      this.#smart.set(device, smartFromJson(await this.#ports.shelf.smart(device)));
    for (const device of this.#smart.keys()) {
      if (!this.#disks.some((disk) => disk.device === device)) this.#smart.delete(device);
    }
    this.#changed();
  }

  #require(device: string): DiskReading {
    const disk = this.#disks.find((each) => each.device === device);
    if (disk === undefined) throw diskUnknown(device);
    return disk;
  }

  #hardware(): HardwareFacts {
    const reading = this.#machine;
    if (reading === undefined) return unknownHardware;
    const { model, temperatureCelsius, throttled, underVoltage, memory, loadPercent } = reading;
    const rates = [...reading.networkErrors.keys()].map((name) => ({
      interface: name,
      perMinute: rateOf(this.#networkErrors, name),
    }));
    return {
      model,
      temperatureCelsius: temperatureCelsius === null ? null : Math.max(0, Math.round(temperatureCelsius)),
      throttled,
      underVoltage:
        underVoltage === null ? null : underVoltage.now ? 'now' : underVoltage.before ? 'before' : 'never',
      memory,
      recordsSpace: this.#recordsSpace,
      recordsReadOnly: reading.recordsReadOnly,
      loadPercent: loadPercent === null ? null : Math.round(loadPercent),
      clock: this.#clockFact(reading),
      networkErrors: rates.filter(({ perMinute }) => perMinute >= networkErrorsPerMinuteMin),
    };
  }

  #clockFact({ clockSynchronised }: MachineReading): HardwareFacts['clock'] {
    const { clock, clockIsKnown } = this.#ports;
    if (clock.wallMs() < releasedMs) return 'unset';
    // A time server is found when the network is.
    const isLate = clock.monotonicMs() - this.#startedMs >= clockSetWithinMs;
    if (isLate && clockIsKnown?.() === false) return 'holdover';
    return clockSynchronised === null ? null : clockSynchronised ? 'synchronised' : 'free';
  }

  #diskFacts(disk: DiskReading): DiskFacts {
    const { device, model, serial, sizeBytes, bus, content } = disk;
    return {
      device,
      model,
      serial,
      sizeBytes,
      bus,
      role: roleOf(disk),
      volume: this.#volumes().find(({ path }) => disk.paths.includes(path))?.name ?? null,
      content: content ?? null,
      smart: this.#smart.get(device) ?? null,
      errorsPerHour: rateOf(this.#diskErrors, device),
      locating: this.#locating.has(device),
    };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What cannot be looked at is somebody's until it says that it is blank. */
function roleOf({ isSystem, paths, content }: DiskReading): DiskFacts['role'] {
  if (isSystem) return 'system';
  if (paths.length > 0) return 'volume';
  return content === null ? 'blank' : 'foreign';
}
