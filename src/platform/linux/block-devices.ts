import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { diskBytesMin } from '../../base/face-limits.ts';
import type { DiskBus } from '../../ports/machine.ts';

/** A whole disk, as sysfs shows it, before anybody looked at what is on it. */
export interface BlockDevice {
  readonly device: string;
  readonly model: string | null;
  readonly serial: string | null;
  readonly sizeBytes: number;
  readonly bus: DiskBus | null;
  readonly isSystem: boolean;
  readonly paths: readonly string[];
  readonly errors: number;
  /** Kernel's names of its partitions. */
  readonly partitions: readonly string[];
}

const sectorBytes = 512;
/** Memory, tapes, compact discs, and what only stands for other disks. */
const noDisks = /^(ram|zram|sr|fd|dm-|md|nbd|mtd)/;
const systemPaths = ['/', '/boot', '/boot/firmware', '/data', '/usr'];

/** Reads the disks of a Linux system. `paths`: folders of which it is told on which disk they lie. */
export function readBlockDevices(paths: readonly string[], sysfs = '/sys'): readonly BlockDevice[] {
  const folder = join(sysfs, 'block');
  if (!existsSync(folder)) return [];
  const homes = new Map<string, string[]>();
  for (const path of paths) {
    const home = wholeDiskOf(path, sysfs);
    if (home !== undefined) homes.set(home, [...(homes.get(home) ?? []), path]);
  }
  const systemDisks = new Set(systemPaths.flatMap((path) => wholeDiskOf(path, sysfs) ?? []));
  return readdirSync(folder)
    .filter((name) => !noDisks.test(name))
    .sort()
    .flatMap((name) => {
      const device = readDevice(
        join(folder, name),
        sysfs,
        name,
        systemDisks.has(name),
        homes.get(name) ?? [],
      );
      return device === undefined ? [] : [device];
    });
}

function readDevice(
  folder: string,
  sysfs: string,
  device: string,
  isSystem: boolean,
  paths: readonly string[],
): BlockDevice | undefined {
  const sizeBytes = Number(text(folder, 'size') ?? 0) * sectorBytes;
  // A loop device without a file behind it is only a name; one that a volume lies on has lost its disk.
  if (sizeBytes === 0 && paths.length === 0) return undefined;
  if (sizeBytes > 0 && sizeBytes < diskBytesMin && paths.length === 0) return undefined;
  const partitions = partitionsOf(folder, device);
  return {
    device,
    model: text(folder, 'device/model') ?? loopFileOf(folder),
    serial: text(folder, 'device/serial') ?? text(folder, 'serial') ?? null,
    sizeBytes,
    bus: busOf(folder, device),
    isSystem,
    paths,
    errors: errorsOf([device, ...partitions], sysfs),
    partitions,
  };
}

/**
 * What ext4 counts of what it found wrong. SCSI's own `ioerr_cnt` counts every command that a disk does not know, too: a
 * healthy disk behind a USB bridge has a dozen of them when it has just been plugged in.
 */
function errorsOf(names: readonly string[], sysfs: string): number {
  const found = names.map((name) => Number(text(join(sysfs, 'fs', 'ext4', name), 'errors_count') ?? 0));
  return found.reduce((sum, count) => sum + (Number.isFinite(count) ? count : 0), 0);
}

function partitionsOf(folder: string, device: string): readonly string[] {
  return readdirSync(folder).filter(
    (name) => name.startsWith(device) && existsSync(join(folder, name, 'partition')),
  );
}

/** A file that plays a disk is known by its name. */
function loopFileOf(folder: string): string | null {
  const file = text(folder, 'loop/backing_file');
  return file === undefined ? null : basename(file);
}

function busOf(folder: string, device: string): DiskBus | null {
  if (/^nvme/.test(device)) return 'nvme';
  if (/^mmcblk/.test(device)) return 'mmc';
  if (/^(loop|vd|xvd)/.test(device)) return 'virtual';
  try {
    const path = realpathSync(join(folder, 'device'));
    if (/\/usb\d/.test(path)) return 'usb';
    return /\/ata\d/.test(path) ? 'sata' : null;
  } catch {
    return null;
  }
}

/** The disk that a folder lies on, through partitions and mappings; undefined when that is no disk. */
function wholeDiskOf(path: string, sysfs: string): string | undefined {
  try {
    return wholeDiskAt(join(sysfs, 'dev', 'block', deviceNumber(statSync(path).dev)), sysfs);
  } catch {
    return undefined;
  }
}

/** `8:16`, of what `st_dev` has: glibc's makedev(3). */
export function deviceNumber(dev: number): string {
  const major = Math.floor(dev / 256) % 4096;
  const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256;
  return `${major}:${minor}`;
}

function wholeDiskAt(link: string, sysfs: string): string | undefined {
  const folder = realpathSync(link);
  const slaves = existsSync(join(folder, 'slaves')) ? readdirSync(join(folder, 'slaves')) : [];
  const [slave] = slaves;
  if (slave !== undefined) return wholeDiskAt(join(folder, 'slaves', slave), sysfs);
  const whole = existsSync(join(folder, 'partition')) ? basename(join(folder, '..')) : basename(folder);
  return existsSync(join(sysfs, 'block', whole)) ? whole : undefined;
}

function text(folder: string, name: string): string | undefined {
  try {
    const value = readFileSync(join(folder, name), 'utf8').trim();
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
