import type { DiskReading, DiskShelf, Machine, MachineReading } from '../ports/machine.ts';
import { diskNotBlank, diskUnknown } from '../ports/machine.ts';

/** A computer that tells what a test sets. */
export class FakeMachine implements Machine {
  reading: MachineReading = {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    temperatureCelsius: 48.4,
    throttled: false,
    underVoltage: { now: false, before: false },
    memory: { totalBytes: 4e9, availableBytes: 3e9 },
    loadPercent: 7.2,
    clockSynchronised: true,
    networkErrors: new Map([['eth0', 1_000_000]]),
    recordsReadOnly: false,
  };

  async read(): Promise<MachineReading> {
    return this.reading;
  }
}

/** Disks that a test attaches and pulls. */
export class FakeDiskShelf implements DiskShelf {
  readonly asked: string[] = [];
  readonly smartOf = new Map<string, unknown>();
  /** Folders where something is mounted, by label; also after its disk was pulled, until it is taken off. */
  readonly mounted = new Map<string, string>();
  failure: Error | undefined;
  /** Lists under way at once, and the most there ever were. */
  lists = { now: 0, most: 0 };
  #disks: readonly DiskReading[] = [];
  readonly #listeners = new Set<() => void>();

  /** Attaches or changes a disk, and says so as the kernel would. */
  attach(device: string, changes: Partial<DiskReading> = {}): void {
    const disk: DiskReading = {
      device,
      model: 'Samsung Portable SSD T7',
      serial: null,
      sizeBytes: 1e12,
      bus: 'usb',
      isSystem: false,
      content: null,
      paths: [],
      errors: 0,
      ...changes,
    };
    this.#disks = [...this.#disks.filter((each) => each.device !== device), disk];
    this.#tell();
  }

  pull(device: string): void {
    this.#disks = this.#disks.filter((each) => each.device !== device);
    this.#tell();
  }

  async disks(): Promise<readonly DiskReading[]> {
    this.lists.now++;
    this.lists.most = Math.max(this.lists.most, this.lists.now);
    await Promise.resolve();
    this.lists.now--;
    if (this.failure !== undefined) throw this.failure;
    return this.#disks;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async smart(device: string): Promise<unknown> {
    this.asked.push(`smart ${device}`);
    return this.smartOf.get(device);
  }

  async blink(device: string, signal: AbortSignal, onEnd: () => void): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.asked.push(`blink ${device}`);
    signal.addEventListener('abort', onEnd, { once: true });
  }

  async format(device: string, label: string): Promise<void> {
    const disk = this.#disks.find((each) => each.device === device);
    if (disk === undefined) throw diskUnknown(device);
    if (disk.content !== null) throw diskNotBlank(device, disk.content);
    this.asked.push(`format ${device}`);
    this.attach(device, { ...disk, content: `ext4 file system "${label}"` });
  }

  async mount(label: string, folder: string): Promise<boolean> {
    if (this.mounted.get(label) === folder) return true;
    const disk = this.#disks.find(({ content }) => content === `ext4 file system "${label}"`);
    if (disk === undefined) return false;
    this.mounted.set(label, folder);
    this.attach(disk.device, { ...disk, paths: [folder] });
    return true;
  }

  async unmount(folder: string): Promise<void> {
    const label = folder.split('/').at(-1)!;
    this.asked.push(`unmount ${label}`);
    this.mounted.delete(label);
    this.#disks = this.#disks.map((disk) => ({
      ...disk,
      paths: disk.paths.filter((path) => path !== folder),
    }));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
