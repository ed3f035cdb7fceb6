import type { Bytes } from '../base/bytes.ts';
import type { Disk, DiskFile, DiskOpenMode, DiskSpace } from '../ports/disk.ts';

/** A disk that answers nothing between `hang` and `answer`; what was asked meanwhile is done, and answered, then. */
export class HangingDisk implements Disk {
  readonly #disk: Disk;
  #answering = Promise.withResolvers<void>();
  /** Calls that wait for an answer. */
  waiting = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#answering.resolve();
  }

  hang(): void {
    this.#answering = Promise.withResolvers();
  }

  answer(): void {
    this.#answering.resolve();
  }

  /** Resolves when the disk answers. */
  async turn(): Promise<void> {
    this.waiting++;
    await this.#answering.promise;
    this.waiting--;
  }

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    await this.turn();
    return new HangingFile(this, await this.#disk.open(path, mode));
  }

  async list(path: string): Promise<readonly string[]> {
    await this.turn();
    return this.#disk.list(path);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.turn();
    await this.#disk.makeDirectory(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.turn();
    await this.#disk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.turn();
    await this.#disk.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.turn();
    await this.#disk.syncDirectory(path);
  }

  async space(): Promise<DiskSpace> {
    await this.turn();
    return this.#disk.space();
  }
}

class HangingFile implements DiskFile {
  readonly #disk: HangingDisk;
  readonly #file: DiskFile;

  constructor(disk: HangingDisk, file: DiskFile) {
    this.#disk = disk;
    this.#file = file;
  }

  async read(into: Bytes, position: number): Promise<number> {
    await this.#disk.turn();
    return this.#file.read(into, position);
  }

  async write(parts: readonly Bytes[], position: number): Promise<void> {
    await this.#disk.turn();
    await this.#file.write(parts, position);
  }

  async sync(): Promise<void> {
    await this.#disk.turn();
    await this.#file.sync();
  }

  async sizeBytes(): Promise<number> {
    await this.#disk.turn();
    return this.#file.sizeBytes();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#disk.turn();
    await this.#file.truncate(sizeBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
