import type { Bytes } from '../base/bytes.ts';
import { hasCode } from '../base/errors.ts';
import { withhold } from '../base/withheld-memory.ts';
import type { Disk, DiskFile, DiskOpenMode, DiskSpace } from '../ports/disk.ts';
import type { KeyRange, KeyValueChange, KeyValueEntry, KeyValueStore } from '../ports/key-value-store.ts';
import { type AnswerGate, GatedHandle } from './answer-gate.ts';

/**
 * A disk whose calls all go through a gate. After `DISK_SILENT` a call may still read what it was given to write, or
 * write into what it was given to read into: that memory is withheld.
 */
export class GatedDisk implements Disk {
  readonly #disk: Disk;
  readonly #gate: AnswerGate;

  constructor(disk: Disk, gate: AnswerGate) {
    this.#disk = disk;
    this.#gate = gate;
  }

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    const file = await this.#gate.call(
      () => this.#disk.open(path, mode),
      (late) => void late.close().catch(() => {}),
    );
    return new GatedFile(file, this.#gate);
  }

  list(path: string): Promise<readonly string[]> {
    return this.#gate.call(() => this.#disk.list(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#gate.call(() => this.#disk.makeDirectory(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#gate.call(() => this.#disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#gate.call(() => this.#disk.remove(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#gate.call(() => this.#disk.syncDirectory(path));
  }

  space(): Promise<DiskSpace> {
    return this.#gate.call(() => this.#disk.space());
  }
}

class GatedFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #handle: GatedHandle;

  constructor(file: DiskFile, gate: AnswerGate) {
    this.#file = file;
    this.#handle = new GatedHandle(gate);
  }

  read(into: Bytes, position: number): Promise<number> {
    return this.#lend([into], () => this.#file.read(into, position));
  }

  write(parts: readonly Bytes[], position: number): Promise<void> {
    return this.#lend(parts, () => this.#file.write(parts, position));
  }

  sync(): Promise<void> {
    return this.#handle.call(() => this.#file.sync());
  }

  sizeBytes(): Promise<number> {
    return this.#handle.call(() => this.#file.sizeBytes());
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.call(() => this.#file.truncate(sizeBytes));
  }

  close(): Promise<void> {
    return this.#handle.close(() => this.#file.close());
  }

  async #lend<T>(memory: readonly Bytes[], start: () => Promise<T>): Promise<T> {
    try {
      return await this.#handle.call(start);
    } catch (error) {
      if (hasCode(error, 'DISK_SILENT')) withhold(memory);
      throw error;
    }
  }
}

/**
 * Opens a store behind a gate; look-ups, which are synchronous, are as they are. A write waits for its turn like any other
 * call, and look-ups do not show it before.
 */
export async function openGatedStore(
  open: () => Promise<KeyValueStore>,
  gate: AnswerGate,
): Promise<KeyValueStore> {
  const store = await gate.call(open, (late) => void late.close().catch(() => {}));
  return new GatedStore(store, gate);
}

class GatedStore implements KeyValueStore {
  readonly #store: KeyValueStore;
  readonly #handle: GatedHandle;

  constructor(store: KeyValueStore, gate: AnswerGate) {
    this.#store = store;
    this.#handle = new GatedHandle(gate);
  }

  get(key: Bytes): Bytes | undefined {
    return this.#store.get(key);
  }

  range(options: KeyRange): Iterable<KeyValueEntry> {
    return this.#store.range(options);
  }

  write(changes: readonly KeyValueChange[]): Promise<void> {
    return this.#handle.call(() => this.#store.write(changes));
  }

  close(): Promise<void> {
    return this.#handle.close(() => this.#store.close());
  }
}
