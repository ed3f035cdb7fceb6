import { closeSync, constants, mkdirSync, openSync, read, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { AetherError } from '../../base/errors.ts';
import { type DiskReading, type DiskShelf, diskNotBlank, diskUnknown } from '../../ports/machine.ts';
import { diskError } from '../disk-errors.ts';
import { alignedBuffer } from './aligned-buffer.ts';
import { type BlockDevice, readBlockDevices } from './block-devices.ts';
import type { DescriptorEvents } from './descriptor-events.ts';
import { KobjectEvents } from './kobject-events.ts';
import { runTool } from './run-tool.ts';

/** `blkid -p`: something was found; nothing was found; several things that contradict each other. */
const blkid = { found: 0, nothing: 2, ambivalent: 8 } as const;
const formatTimeoutMs = 10 * 60_000;
/** A lamp that is on for so long and off for so long is seen to blink. */
const blinkOnMs = 400;
const blinkOffMs = 400;
const blinkReadBytes = 1024 * 1024;

/**
 * The disks of a Linux system, by sysfs, the kernel's notices and the system's own tools (`blkid`, `smartctl`,
 * `mkfs.ext4`, `mount`), which need root for most of it.
 */
export class LinuxDiskShelf implements DiskShelf {
  readonly #listeners = new Set<() => void>();
  readonly #kobjects: KobjectEvents;
  /** What was found on disks; looked at again when the kernel has said something. */
  readonly #contents = new Map<string, string | null | undefined>();

  /** Errors: `DISK_EVENTS_UNSUPPORTED`. */
  constructor(events: DescriptorEvents) {
    this.#kobjects = KobjectEvents.open(events, () => {
      this.#contents.clear();
      for (const listener of this.#listeners) listener();
    });
  }

  async disks(paths: readonly string[]): Promise<readonly DiskReading[]> {
    const readings: DiskReading[] = [];
    for (const device of readBlockDevices(paths)) {
      const content = device.sizeBytes === 0 ? undefined : await this.#contentOf(device);
      const { partitions: _, ...reading } = device;
      readings.push({ ...reading, content });
    }
    return readings;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async smart(device: string): Promise<unknown> {
    // `-n standby`: a disk that sleeps is left asleep.
    const { stdout } = await runTool('smartctl', [
      '--json',
      '-n',
      'standby',
      '-i',
      '-H',
      '-A',
      pathOf(device),
    ]);
    try {
      return JSON.parse(stdout);
    } catch {
      return undefined;
    }
  }

  async blink(device: string, signal: AbortSignal, onEnd: () => void): Promise<void> {
    const found = readBlockDevices([]).find((each) => each.device === device);
    if (found === undefined) throw diskUnknown(device);
    const descriptor = openToRead(device);
    void blinkUntil(signal, descriptor, found.sizeBytes).finally(() => {
      closeSync(descriptor);
      onEnd();
    });
  }

  async format(device: string, label: string): Promise<void> {
    const found = readBlockDevices([]).find((each) => each.device === device);
    if (found === undefined) throw diskUnknown(device);
    const content = await contentOf(found);
    if (content !== null) throw diskNotBlank(device, content);
    closeSync(openExclusively(device));
    const words = ['-q', '-m', '0', '-L', label, pathOf(device)];
    const { exitCode, stderr } = await runTool('mkfs.ext4', words, formatTimeoutMs);
    this.#contents.clear();
    if (exitCode !== 0) throw adoptFailed(device, stderr);
  }

  async mount(label: string, folder: string): Promise<boolean> {
    mkdirSync(folder, { recursive: true });
    if (isMountPoint(folder)) return true;
    const { exitCode, stdout } = await runTool('blkid', ['-c', '/dev/null', '-L', label]);
    if (exitCode !== 0) return false;
    // What strangers may have put on it is neither run nor believed.
    const words = ['-o', 'noatime,nodev,nosuid,noexec', stdout.trim(), folder];
    return (await runTool('mount', words)).exitCode === 0;
  }

  async unmount(folder: string): Promise<void> {
    if (isMountPoint(folder)) await runTool('umount', [folder]);
  }

  close(): Promise<void> {
    return this.#kobjects.close();
  }

  async #contentOf(device: BlockDevice): Promise<string | null | undefined> {
    if (!this.#contents.has(device.device)) this.#contents.set(device.device, await contentOf(device));
    return this.#contents.get(device.device);
  }
}

/** What is on a disk, in words; null when it is blank; undefined when nobody can tell. */
async function contentOf({ device, partitions }: BlockDevice): Promise<string | null | undefined> {
  if (partitions.length > 0) {
    return partitions.length === 1 ? 'a partition' : `${partitions.length} partitions`;
  }
  const { exitCode, stdout } = await runTool('blkid', ['-p', '-o', 'export', pathOf(device)]);
  if (exitCode === blkid.ambivalent) return 'several file systems over each other';
  if (exitCode === blkid.found) return describeContent(stdout);
  if (exitCode !== blkid.nothing) return undefined;
  // blkid answers "nothing" also for a disk that it could not read.
  return isReadable(device) ? null : undefined;
}

/** `ext4 file system "photos"` for what `blkid -o export` says. */
export function describeContent(exported: string): string {
  const fields = new Map(exported.split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]));
  const type = fields.get('TYPE');
  const label = fields.get('LABEL');
  const table = fields.get('PTTYPE');
  if (type === undefined) return table === undefined ? 'something unknown' : `a partition table (${table})`;
  const kind = fields.get('USAGE') === 'filesystem' ? `${type} file system` : type;
  return label === undefined ? kind : `${kind} "${label.replaceAll('\\', '')}"`;
}

function isReadable(device: string): boolean {
  try {
    closeSync(openSync(pathOf(device), constants.O_RDONLY));
    return true;
  } catch {
    return false;
  }
}

/** Reads what no cache holds, in bursts: most disks have a lamp that shows it. Ends when the disk does. */
async function blinkUntil(signal: AbortSignal, descriptor: number, sizeBytes: number): Promise<void> {
  const buffer = alignedBuffer(blinkReadBytes);
  const steps = Math.max(1, Math.floor(sizeBytes / blinkReadBytes) - 1);
  try {
    for (let step = 0; !signal.aborted; ) {
      for (
        const endMs = performance.now() + blinkOnMs;
        performance.now() < endMs && !signal.aborted;
        step++
      ) {
        await readAt(descriptor, buffer, 0, blinkReadBytes, ((step * 7919) % steps) * blinkReadBytes);
      }
      await pause(blinkOffMs, signal);
    }
  } catch {
    // A disk that cannot be read has a lamp that cannot be made to blink.
  }
}

function openToRead(device: string): number {
  try {
    return openSync(pathOf(device), constants.O_RDONLY | constants.O_DIRECT);
  } catch (cause) {
    throw diskError(cause, pathOf(device));
  }
}

function openExclusively(device: string): number {
  try {
    return openSync(pathOf(device), constants.O_RDWR | constants.O_EXCL);
  } catch (cause) {
    throw new AetherError('DISK_NOT_BLANK', `disk ${device} is in use, or cannot be written`, {
      help: 'Unmount it first; this box never takes a disk from somebody else.',
      cause,
    });
  }
}

const readAt = promisify(read) as (
  descriptor: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<unknown>;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

/** The root of a file system is on another device than the folder above it. */
function isMountPoint(folder: string): boolean {
  return statSync(folder).dev !== statSync(dirname(folder)).dev;
}

function pathOf(device: string): string {
  return `/dev/${device}`;
}

function adoptFailed(device: string, why: string): AetherError {
  const said = why.trim().split('\n').at(-1) ?? '';
  return new AetherError('DISK_ADOPT_FAILED', `disk ${device} could not be taken into use`, {
    help: said === '' ? 'Formatting a disk needs root, or the appliance’s own service for it.' : said,
  });
}
