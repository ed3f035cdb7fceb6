import { type FileHandle, open } from 'node:fs/promises';

/** What a disk's own cache holds before it must write some of it. */
const cacheBytesMax = 64 * 1024 * 1024;
/** No disk tears what is smaller. */
const sectorBytes = 512;

interface Write {
  readonly offset: number;
  readonly data: Buffer;
  /** What was there. */
  readonly before: Buffer;
}

export interface PowerCut {
  /** Writes since the last flush, and those of them that were lost or torn. */
  readonly writes: number;
  readonly lost: number;
}

/**
 * A file as a disk with a cache that forgets when the power goes: of all that was written since the last flush any part
 * may be there and any part not, in sectors, as of a disk that writes in the order that suits it. What was flushed is
 * there. (A process that is killed loses nothing by itself: the kernel keeps what it wrote.)
 */
export class VolatileFile {
  readonly #file: FileHandle;
  readonly #random: () => number;
  #unflushed: Write[] = [];
  #cachedBytes = 0;

  private constructor(file: FileHandle, random: () => number) {
    this.#file = file;
    this.#random = random;
  }

  /** `random` draws from [0, 1). Errors: those of open(2). */
  static async open(path: string, random: () => number = Math.random): Promise<VolatileFile> {
    return new VolatileFile(await open(path, 'r+'), random);
  }

  /** So many bytes from `offset` on; zeros beyond the end. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    await this.#file.read(buffer, 0, bytes, offset);
    return buffer;
  }

  async write(offset: number, data: Buffer): Promise<void> {
    this.#unflushed.push({ offset, data, before: await this.read(offset, data.length) });
    this.#cachedBytes += data.length;
    await this.#file.write(data, 0, data.length, offset);
    while (this.#cachedBytes > cacheBytesMax) this.#cachedBytes -= this.#unflushed.shift()!.data.length;
  }

  /** All that was written so far outlives a power cut. */
  flush(): void {
    this.#unflushed = [];
    this.#cachedBytes = 0;
  }

  /** Forgets a part of what was not flushed. */
  async cutPower(): Promise<PowerCut> {
    const writes = this.#unflushed;
    this.flush();
    for (const { offset, before } of writes.toReversed()) await this.#put(offset, before);
    let lost = 0;
    for (const { offset, data } of writes) {
      const kept = this.#keptSectors(data.length);
      if (kept.includes(false)) lost++;
      for (const [index, isKept] of kept.entries()) {
        if (!isKept) continue;
        const from = index * sectorBytes;
        await this.#put(offset + from, data.subarray(from, from + sectorBytes));
      }
    }
    return { writes: writes.length, lost };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** A third of all writes is there, a third is not, a third is torn. */
  #keptSectors(bytes: number): readonly boolean[] {
    const fate = this.#random();
    return Array.from({ length: Math.ceil(bytes / sectorBytes) }, () =>
      fate < 1 / 3 ? true : fate < 2 / 3 ? false : this.#random() < 0.5,
    );
  }

  async #put(offset: number, data: Buffer): Promise<void> {
    await this.#file.write(data, 0, data.length, offset);
  }
}
