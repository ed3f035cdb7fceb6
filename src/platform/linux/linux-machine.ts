import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import koffi from 'koffi';
import type { Machine, MachineReading } from '../../ports/machine.ts';

/** Bits of the Raspberry Pi firmware's `get_throttled`. */
const throttledBits = {
  underVoltageNow: 0x1,
  throttledNow: 0x4,
  hotNow: 0x8,
  underVoltageBefore: 0x10000,
} as const;
/** adjtimex(2): the clock is not synchronised. */
const staUnsync = 0x40;
/** `struct statvfs` on 64-bit Linux: f_flag at 72, in it ST_RDONLY (1). */
const statvfsBytes = 112;
const statvfsFlagOffset = 72;
const stReadOnly = 1n;
/** `struct timex` on 64-bit Linux: modes at 0, status at 40. */
const timexBytes = 208;
const timexStatusOffset = 40;

export interface LinuxMachineOptions {
  /** Where sysfs and procfs are. */
  readonly sysfs?: string;
  readonly procfs?: string;
  /** Where the box keeps its records. */
  readonly recordsFolder?: string | undefined;
}

/**
 * What a Linux computer tells of itself. Files of the kernel where it has them; what differs from one computer to the
 * other (load, memory, and on computers without a thermal zone the temperature) by `systeminformation`, of which only the
 * calls that take a few milliseconds are used: others take up to half a second.
 */
export class LinuxMachine implements Machine {
  readonly #sysfs: string;
  readonly #procfs: string;
  readonly #recordsFolder: string | undefined;
  #model: string | null | undefined;
  /** The thorough way told nothing: it is not gone again, it takes 50 ms. */
  #noTemperature = false;

  constructor({ sysfs = '/sys', procfs = '/proc', recordsFolder }: LinuxMachineOptions = {}) {
    this.#sysfs = sysfs;
    this.#procfs = procfs;
    this.#recordsFolder = recordsFolder;
  }

  async read(): Promise<MachineReading> {
    const { default: information } = await import('systeminformation');
    const memory = await quietly(information.mem());
    const load = await quietly(information.currentLoad());
    const throttled = this.#throttled();
    return {
      model: this.#readModel(),
      temperatureCelsius: this.#temperature() ?? (await this.#thoroughTemperature(information)),
      throttled:
        throttled === null ? null : (throttled & (throttledBits.throttledNow | throttledBits.hotNow)) !== 0,
      underVoltage:
        throttled === null
          ? this.#voltageAlarm()
          : {
              now: (throttled & throttledBits.underVoltageNow) !== 0,
              before: (throttled & throttledBits.underVoltageBefore) !== 0,
            },
      memory: memory === undefined ? null : { totalBytes: memory.total, availableBytes: memory.available },
      loadPercent: load === undefined ? null : load.currentLoad,
      clockSynchronised: clockSynchronised(),
      networkErrors: this.#networkErrors(),
      recordsReadOnly: this.#recordsReadOnly(),
    };
  }

  #readModel(): string | null {
    this.#model ??=
      this.#text(this.#procfs, 'device-tree/model') ??
      this.#text(this.#sysfs, 'class/dmi/id/product_name') ??
      null;
    return this.#model;
  }

  /** The hottest of the thermal zones; millidegrees. */
  #temperature(): number | null {
    const folder = join(this.#sysfs, 'class/thermal');
    const zones = namesIn(folder).filter((name) => name.startsWith('thermal_zone'));
    const degrees = zones.flatMap((zone) => {
      const text = this.#text(folder, `${zone}/temp`);
      const value = Number(text) / 1000;
      return text === undefined || !Number.isFinite(value) ? [] : [value];
    });
    return degrees.length === 0 ? null : Math.max(...degrees);
  }

  async #thoroughTemperature(information: typeof import('systeminformation')): Promise<number | null> {
    if (this.#noTemperature) return null;
    const main = (await quietly(information.cpuTemperature()))?.main ?? null;
    this.#noTemperature = main === null;
    return main;
  }

  #throttled(): number | null {
    const text = this.#text(this.#sysfs, 'devices/platform/soc/soc:firmware/get_throttled');
    const value = text === undefined ? Number.NaN : Number.parseInt(text, 16);
    return Number.isNaN(value) ? null : value;
  }

  /** Newer kernels of a Raspberry Pi tell it as a voltage sensor. */
  #voltageAlarm(): MachineReading['underVoltage'] {
    const folder = join(this.#sysfs, 'class/hwmon');
    const sensor = namesIn(folder).find((name) => this.#text(folder, `${name}/name`) === 'rpi_volt');
    if (sensor === undefined) return null;
    const now = this.#text(folder, `${sensor}/in0_lcrit_alarm`) === '1';
    return { now, before: now };
  }

  #networkErrors(): ReadonlyMap<string, number> {
    const folder = join(this.#sysfs, 'class/net');
    const errors = namesIn(folder)
      .filter((name) => name !== 'lo')
      .map((name): [string, number] => {
        const count = (file: string) => Number(this.#text(folder, `${name}/statistics/${file}`) ?? 0) || 0;
        return [name, count('rx_errors') + count('tx_errors')];
      });
    return new Map(errors);
  }

  /**
   * Since Linux 6.12 an ext4 that goes read-only for an error is not flagged so: where it has counted errors, it is tried.
   */
  #recordsReadOnly(): boolean | null {
    const folder = this.#recordsFolder;
    if (folder === undefined) return null;
    const isFlagged = isReadOnly(folder);
    return isFlagged === false && this.#hasFileSystemErrors(folder) ? !takesWriting(folder) : isFlagged;
  }

  #hasFileSystemErrors(folder: string): boolean {
    const { dev } = statSync(folder);
    // As makedev(3) packs them.
    const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
    try {
      const device = basename(realpathSync(join(this.#sysfs, 'dev/block', number)));
      return Number(this.#text(this.#sysfs, `fs/ext4/${device}/errors_count`) ?? 0) > 0;
    } catch {
      return false;
    }
  }

  #text(folder: string, name: string): string | undefined {
    try {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll('\0', '').trim();
      return text === '' ? undefined : text;
    } catch {
      return undefined;
    }
  }
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function quietly<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch {
    return undefined;
  }
}

/** Whether a file system is written to no more, as ext4 after an error of its disk; null: nobody can tell. statvfs(3). */
function isReadOnly(folder: string): boolean | null {
  const statvfs: (path: string, into: Uint8Array) => number = koffi
    .load('libc.so.6')
    .func('int statvfs(const char *, void *)');
  const into = new Uint8Array(statvfsBytes);
  if (statvfs(folder, into) < 0) return null;
  return (new DataView(into.buffer).getBigUint64(statvfsFlagOffset, true) & stReadOnly) !== 0n;
}

/** A full file system does: that is told otherwise. */
function takesWriting(folder: string): boolean {
  const path = join(folder, '.writable');
  try {
    writeFileSync(path, 'x', { flush: true });
    rmSync(path);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 'ENOSPC';
  }
}

/** Null where the kernel does not tell, as in some containers. */
function clockSynchronised(): boolean | null {
  if (process.platform !== 'linux') return null;
  const adjtimex: (timex: Uint8Array) => number = koffi.load('libc.so.6').func('int adjtimex(void *)');
  const timex = new Uint8Array(timexBytes);
  if (adjtimex(timex) < 0) return null;
  return (new DataView(timex.buffer).getInt32(timexStatusOffset, true) & staUnsync) === 0;
}
