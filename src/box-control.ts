import type { Bytes } from './base/bytes.ts';
import { AetherError } from './base/errors.ts';
import { formatDuration } from './base/format.ts';
import { logEntriesMax } from './base/limits.ts';
import { formatLogEntry, type Log, type LogRing } from './base/log.ts';
import { version } from './base/version.ts';
import type { Box, MachineFacts } from './box.ts';
import type { ApplianceControl, DiskControl, PairingCode, SupportFile } from './control/appliance-control.ts';
import { MaintenancePin } from './control/maintenance-pin.ts';
import { StatusKeeper } from './control/status-keeper.ts';
import { type Clock, every, type Timer } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import { diskUnknown } from './ports/machine.ts';
import type { ApplianceStatus } from './status/appliance-status.ts';
import { noUpdate, type UpdateFacts, unknownHardware } from './status/facts.ts';
import type { StatusEvent } from './status/history.ts';

/** What the surroundings of a box know of the computer, and let it do to it. */
export interface BoxMachine {
  facts(): Pick<MachineFacts, 'hardware' | 'disks'>;
  onChange(listener: () => void): () => void;
  locate(device: string, on: boolean): Promise<void>;
  /** Formats a blank disk and takes it into use; one that a box of this pool filled is taken as it is. */
  adopt(device: string): Promise<void>;
  /** Whether it formatted this one, and mounts it. */
  hasTaken(volume: string): boolean;
  /** One that it has taken, and that is not served, is no disk of this box any more. Errors: `VOLUME_UNKNOWN`. */
  drop(volume: string): Promise<void>;
}

/** Versions of the program that could be installed. */
export interface BoxUpdates {
  facts(): UpdateFacts;
  /** Begins to install the one that is staged. Errors: `UPDATER_UNAVAILABLE`, those of `Updater.install`. */
  install(): Promise<void>;
  /**
   * Takes a bundle and stages it; returns its version. Errors: `UPDATER_UNAVAILABLE`, those of `BundleShelf` and
   * `Updater.stage`.
   */
  receive(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string>;
  onChange(listener: () => void): () => void;
}

/**
 * How a program ends: `shutdown` by a person who wants to unplug the box, `stop` by whoever started it, `restart` to begin
 * again, `factory-reset` as a new box, `reboot` with the whole machine.
 */
export type BoxEnd = 'shutdown' | 'stop' | 'restart' | 'factory-reset' | 'reboot';

export interface BoxControlOptions {
  /** Ends the program; resolves when everything is on disk. */
  readonly end: (how: BoxEnd) => Promise<void>;
  /** Names and addresses that were chosen before are to be forgotten. */
  readonly forgetNetwork: () => Promise<void>;
  readonly log: LogRing;
}

export interface BoxControlPorts {
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Facts that nobody reports (a peer silent for long) are looked at this often. */
const lookPeriodMs = 1000;

/** A computer of which nothing is known, and to which nothing can be done. */
export const unknownMachine: BoxMachine = {
  facts: () => ({ hardware: unknownHardware, disks: [] }),
  onChange: () => () => {},
  locate: (device) => Promise.reject(diskUnknown(device)),
  adopt: (device) => Promise.reject(diskUnknown(device)),
  hasTaken: () => false,
  drop: (volume) => Promise.reject(diskUnknown(volume)),
};

/** What every face of a box asks it for. */
export class BoxControl implements ApplianceControl {
  readonly disks: DiskControl;
  readonly #options: BoxControlOptions;
  readonly #ports: BoxControlPorts;
  readonly #keeper: StatusKeeper;
  readonly #pin: MaintenancePin;
  readonly #machine: BoxMachine;
  readonly #listeners = new Set<() => void>();
  #box: Box | undefined;
  #looking: Timer | undefined;
  readonly #unsubscribe: (() => void)[] = [];
  #updates: BoxUpdates | undefined;

  private constructor(
    options: BoxControlOptions,
    ports: BoxControlPorts,
    parts: { readonly keeper: StatusKeeper; readonly pin: MaintenancePin; readonly machine: BoxMachine },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#keeper = parts.keeper;
    this.#pin = parts.pin;
    this.#machine = parts.machine;
    this.disks = {
      locate: (device, on) => parts.machine.locate(device, on),
      adopt: (device) => parts.machine.adopt(device),
      retire: (volume) => this.#opened().retireDisk(volume),
      forget: (volume) => {
        const { disks } = this.#opened();
        return parts.machine.hasTaken(volume) ? parts.machine.drop(volume) : disks.forget(volume);
      },
    };
  }

  /** Reads what is kept of the box's past. Errors: those of the disk. */
  static async open(
    options: BoxControlOptions,
    machine: BoxMachine,
    ports: BoxControlPorts,
  ): Promise<BoxControl> {
    const { stateDisk: disk, clock, entropy } = ports;
    const log = ports.log.part('control');
    const keeper = await StatusKeeper.open({ disk, clock, log });
    const pin = await MaintenancePin.open({ disk, clock, entropy, log });
    return new BoxControl(options, ports, { keeper, pin, machine });
  }

  /** What the box is to say of its computer, and of what people have seen. */
  machineFacts(): MachineFacts {
    const update = this.#updates?.facts() ?? noUpdate;
    return { ...this.#machine.facts(), update, acknowledged: this.#keeper.acknowledged };
  }

  /** Begins to speak for `box`. */
  attach(box: Box): void {
    this.#box = box;
    this.#unsubscribe.push(
      box.onChange(() => this.#look()),
      this.#machine.onChange(() => this.#look()),
    );
    this.#looking = every(this.#ports.clock, lookPeriodMs, () => this.#look());
    this.#look();
  }

  /** The box updates itself, or says why not yet. Where nobody says so, it is updated by others. */
  attachUpdates(updates: BoxUpdates): void {
    this.#updates = updates;
    this.#unsubscribe.push(updates.onChange(() => this.#look()));
    this.#look();
  }

  /** Resolves when what is to be kept is on disk. The last status can still be asked for. */
  async close(): Promise<void> {
    this.#looking?.cancel();
    for (const each of this.#unsubscribe) each();
    await this.#keeper.close();
  }

  status(): ApplianceStatus {
    return this.#opened().status();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  history(): readonly StatusEvent[] {
    return this.#keeper.events;
  }

  async acknowledge(key: string): Promise<void> {
    this.#keeper.acknowledge(key, this.status());
    this.#changed();
  }

  identify(on: boolean): void {
    this.#opened().identify(on);
  }

  pair(): PairingCode {
    const box = this.#opened();
    const code = box.claimed ? box.requestLoginCode() : box.pairing().code;
    const { expiresInMs, lockedForMs } = box.pairing();
    if (code === undefined) {
      throw new AetherError('PAIRING_LOCKED', 'pairing is locked after too many wrong codes', {
        help: `Try again in ${formatDuration(lockedForMs ?? 0)}.`,
      });
    }
    return { code, expiresAtMs: expiresInMs === undefined ? null : this.#ports.clock.wallMs() + expiresInMs };
  }

  async installUpdate(): Promise<void> {
    if (this.#updates === undefined) throw updatedElsewhere();
    await this.#updates.install();
  }

  async receiveUpdate(totalBytes: number, body: AsyncIterable<Bytes>): Promise<string> {
    if (this.#updates === undefined) throw updatedElsewhere();
    return this.#updates.receive(totalBytes, body);
  }

  setPin(pin: string | null): Promise<void> {
    return this.#pin.set(pin);
  }

  get hasPin(): boolean {
    return this.#pin.isSet;
  }

  get pinChanges(): number {
    return this.#pin.changes;
  }

  checkPin(pin: string): Promise<boolean> {
    return this.#pin.check(pin);
  }

  async resetAccess(): Promise<void> {
    await this.#pin.set(null);
    await this.#options.forgetNetwork();
    this.#ports.log.part('control').warn('names, addresses and the maintenance PIN were reset');
    // The names are claimed anew by a box that starts.
    void this.restart();
  }

  factoryReset(): Promise<void> {
    return this.#options.end('factory-reset');
  }

  shutdown(): Promise<void> {
    return this.#options.end('shutdown');
  }

  restart(): Promise<void> {
    return this.#options.end('restart');
  }

  /** No log line holds a key, a code or a name of a file (docs/threat-model.md); the status has none of them. */
  async supportBundle(): Promise<readonly SupportFile[]> {
    const asJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
    return [
      { name: 'version.txt', text: `AetherStore ${version}\n` },
      { name: 'status.json', text: asJson(this.status()) },
      { name: 'history.json', text: asJson(this.history()) },
      {
        name: 'log.txt',
        text: this.#options.log
          .newest(logEntriesMax)
          .map((entry) => `${formatLogEntry(entry)}\n`)
          .join(''),
      },
    ];
  }

  #look(): void {
    this.#keeper.observe(this.status());
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #opened(): Box {
    if (this.#box === undefined) throw new AetherError('BOX_STARTING', 'the box is still starting');
    return this.#box;
  }
}

function updatedElsewhere(): AetherError {
  return new AetherError('UPDATE_ELSEWHERE', 'this box is a program on somebody’s computer', {
    help: 'It is updated as that computer’s programs are.',
  });
}
