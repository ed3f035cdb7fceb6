import type { Bytes } from '../base/bytes.ts';
import type { Disk, DiskFile, DiskOpenMode, DiskSpace } from '../ports/disk.ts';

/** Whether something answers: between `hang` and `answer` it does not, and does what it was asked meanwhile after that. */
export class Hang {
  #answering: PromiseWithResolvers<void> | undefined;
  /** Who waits for an answer. */
  waiting = 0;

  hang(): void {
    this.#answering ??= Promise.withResolvers();
  }

  answer(): void {
    this.#answering?.resolve();
    this.#answering = undefined;
  }

  /** Resolves when there is an answer. */
  async turn(): Promise<void> {
    this.waiting++;
    while (this.#answering !== undefined) await this.#answering.promise;
    this.waiting--;
  }
}

/** A disk that hangs when it is told to. */
export class HangingDisk implements Disk {
  readonly #disk: Disk;
  readonly #hang: Hang;

  constructor(disk: Disk, hang: Hang) {
    this.#disk = disk;
    this.#hang = hang;
  }

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    await this.#hang.turn();
    return new HangingFile(this.#hang, await this.#disk.open(path, mode));
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#hang.turn();
    return this.#disk.list(path);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#hang.turn();
    await this.#disk.makeDirectory(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#hang.turn();
    await this.#disk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#hang.turn();
    await this.#disk.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#hang.turn();
    await this.#disk.syncDirectory(path);
  }

  async space(): Promise<DiskSpace> {
    await this.#hang.turn();
    return this.#disk.space();
  }
}

class HangingFile implements DiskFile {
  readonly #hang: Hang;
  readonly #file: DiskFile;

  constructor(hang: Hang, file: DiskFile) {
    this.#hang = hang;
    this.#file = file;
  }

  async read(into: Bytes, position: number): Promise<number> {
    await this.#hang.turn();
    return this.#file.read(into, position);
  }

  async write(parts: readonly Bytes[], position: number): Promise<void> {
    await this.#hang.turn();
    await this.#file.write(parts, position);
  }

  async sync(): Promise<void> {
    await this.#hang.turn();
    await this.#file.sync();
  }

  async sizeBytes(): Promise<number> {
    await this.#hang.turn();
    return this.#file.sizeBytes();
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#hang.turn();
    await this.#file.truncate(sizeBytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
