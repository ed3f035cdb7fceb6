import { closeSync, constants, openSync } from 'node:fs';
import { type DiskReading, type DiskShelf, diskNotBlank, diskUnknown } from '../../ports/machine.ts';
import { diskError } from '../disk-errors.ts';
import { alignedBuffer } from './aligned-buffer.ts';
import { type BlockDevice, readBlockDevices } from './block-devices.ts';
import type { DescriptorEvents } from './descriptor-events.ts';
import { type DiskTools, ownDiskTools } from './disk-tools.ts';
import { KobjectEvents } from './kobject-events.ts';
import { hasReadableEnds, readAt } from './readable-ends.ts';
import { runTool } from './run-tool.ts';

/** `blkid -p`: something was found; nothing was found; several things that contradict each other. */
const blkid = { found: 0, nothing: 2, ambivalent: 8 } as const;
/** A lamp that is on for so long and off for so long is seen to blink. */
const blinkOnMs = 400;
const blinkOffMs = 400;
const blinkReadBytes = 1024 * 1024;

/**
 * The disks of a Linux system, by sysfs, the kernel's notices and the system's own tools: `blkid`, and those that need
 * root ({@link DiskTools}).
 */
export class LinuxDiskShelf implements DiskShelf {
  readonly #listeners = new Set<() => void>();
  readonly #kobjects: KobjectEvents;
  readonly #tools: DiskTools;
  readonly #contents = new FoundContents(contentOf);

  /** Errors: `DISK_EVENTS_UNSUPPORTED`. */
  constructor(events: DescriptorEvents, tools: DiskTools = ownDiskTools) {
    this.#tools = tools;
    this.#kobjects = KobjectEvents.open(events, () => {
      this.#contents.forget();
      for (const listener of this.#listeners) listener();
    });
  }

  async disks(paths: readonly string[]): Promise<readonly DiskReading[]> {
    const readings: DiskReading[] = [];
    for (const device of readBlockDevices(paths)) {
      // What holds a volume is known, and is not asked: it may be the disk that hangs.
      const isAsked = device.sizeBytes > 0 && device.paths.length === 0;
      const content = isAsked ? await this.#contents.of(device) : undefined;
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
    try {
      return JSON.parse(await this.#tools.smart(device));
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
    try {
      await this.#tools.format(device, label);
    } finally {
      this.#contents.forget();
    }
  }

  mount(label: string, folder: string): Promise<boolean> {
    return this.#tools.mount(label, folder);
  }

  unmount(folder: string): Promise<void> {
    return this.#tools.unmount(folder);
  }

  close(): Promise<void> {
    return this.#kobjects.close();
  }
}

/** In words; null when it is blank; undefined when nobody can tell. */
type Content = string | null | undefined;

/** What was found on disks; looked at again when the kernel has said something. */
export class FoundContents {
  readonly #look: (device: BlockDevice) => Promise<Content>;
  #found = new Map<string, Content>();

  constructor(look: (device: BlockDevice) => Promise<Content>) {
    this.#look = look;
  }

  async of(device: BlockDevice): Promise<Content> {
    const found = this.#found;
    if (!found.has(device.device)) found.set(device.device, await this.#look(device));
    return found.get(device.device);
  }

  /** Who looks at this moment may still see what was there before: that is not remembered either. */
  forget(): void {
    this.#found = new Map();
  }
}

/** What is on a disk. */
export async function contentOf({
  device,
  partitions,
  sizeBytes,
}: Pick<BlockDevice, 'device' | 'partitions' | 'sizeBytes'>): Promise<Content> {
  if (partitions.length > 0) {
    return partitions.length === 1 ? 'a partition' : `${partitions.length} partitions`;
  }
  const { exitCode, stdout } = await runTool('blkid', ['-p', '-o', 'export', pathOf(device)]);
  if (exitCode === blkid.ambivalent) return 'several file systems over each other';
  if (exitCode === blkid.found) return describeContent(stdout);
  if (exitCode !== blkid.nothing) return undefined;
  // blkid answers "nothing" of what it cannot read, too: on a disk that reports errors there may be anything.
  return (await hasReadableEnds(pathOf(device), sizeBytes)) ? null : undefined;
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

function pathOf(device: string): string {
  return `/dev/${device}`;
}
