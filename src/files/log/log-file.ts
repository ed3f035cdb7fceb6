import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { hasCode } from '../../base/errors.ts';
import { logBatchBytesMax, logRecordBytesMax } from '../../base/limits.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { filesError } from '../files-error.ts';
import { frameHeader, frameHeaderBytes, parseFrame } from './log-frame.ts';
import { salvage, scanLog } from './log-scan.ts';

interface Waiting {
  readonly bodies: readonly Bytes[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One offset in so many is kept in memory: 16 bytes a thousand records, 32 headers read to find one. */
const indexEvery = 32;

/**
 * One author's log: records of numbers 0, 1, 2 … end to end. Appends that come while another is being synced share
 * the next sync. A torn tail is cut when it is opened; a tail with records that had been durable is set aside as
 * `<path>.damaged`.
 */
export class LogFile {
  readonly #disk: Disk;
  readonly #path: string;
  #file: DiskFile | undefined;
  readonly #index: number[] = [];
  #durableBytes = 0;
  #durableCount = 0;
  /** Number that the next appended record gets: the durable ones and those that wait. */
  #nextSeq = 0;
  #nameDurable = false;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failure: unknown;
  #lastBody: Bytes | undefined;
  #damaged = false;

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** Opens the log at `path`, whose folder exists; the file is made by the first append. */
  static async open(disk: Disk, path: string): Promise<LogFile> {
    const log = new LogFile(disk, path);
    try {
      log.#file = await disk.open(path, 'write');
    } catch (error) {
      if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
    }
    if (log.#file !== undefined) await log.#recover(log.#file);
    return log;
  }

  /** How many records are durable: the number of the next. */
  get count(): number {
    return this.#durableCount;
  }

  /** The last record that was there when the log was opened. */
  get lastBody(): Bytes | undefined {
    return this.#lastBody;
  }

  /** Whether durable records were found lost when the log was opened. */
  get damaged(): boolean {
    return this.#damaged;
  }

  /**
   * Appends records, the first of which has number `seq`; they are durable when it resolves. Errors:
   * `DiskErrorCode`, of this and of every append that waits with it: none of them is in the log then. `LOG_GAP`
   * when `seq` is not the next number. `LOG_FAILED` after a sync has failed.
   */
  append(seq: number, bodies: readonly Bytes[]): Promise<void> {
    if (seq !== this.#nextSeq) {
      return Promise.reject(filesError('LOG_GAP', 'an earlier record could not be written'));
    }
    this.#nextSeq += bodies.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bodies, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Bodies of durable records from number `from` on, as many as fit `bytesMax`, but at least one if there is. */
  async read(from: number, bytesMax: number): Promise<readonly Bytes[]> {
    const file = this.#file;
    if (file === undefined || from >= this.#durableCount) return [];
    const start = this.#index[Math.floor(from / indexEvery)]!;
    let seq = from - (from % indexEvery);
    const bodies: Bytes[] = [];
    let used = 0;
    for await (const body of this.#bodiesFrom(file, start)) {
      if (seq++ < from) continue;
      if (bodies.length > 0 && used + body.length > bytesMax) break;
      bodies.push(body);
      used += body.length;
      if (used >= bytesMax) break;
    }
    return bodies;
  }

  async close(): Promise<void> {
    await this.#running;
    this.#failure ??= filesError('LOG_FAILED', 'the log is closed');
    await this.#file?.close();
  }

  async #recover(file: DiskFile): Promise<void> {
    const scan = await scanLog(file);
    if (scan.state === 'damaged') await this.#setAside(file, scan.endBytes);
    if (scan.state !== 'whole') await file.truncate(scan.endBytes);
    // After a kill, what is read here may still be in the system's memory only, and so may the file's name.
    await file.sync();
    await this.#disk.syncDirectory(folderOf(this.#path));
    this.#nameDurable = true;
    this.#damaged = scan.state === 'damaged';
    for (let seq = 0; seq < scan.offsets.length; seq += indexEvery) this.#index.push(scan.offsets[seq]!);
    this.#durableCount = scan.offsets.length;
    this.#nextSeq = scan.offsets.length;
    this.#durableBytes = scan.endBytes;
    this.#lastBody = scan.lastBody === undefined ? undefined : new Uint8Array(scan.lastBody);
  }

  /** Keeps a copy of the good records after the damage, as evidence and for {@link damagedBodies}. */
  async #setAside(file: DiskFile, from: number): Promise<void> {
    const copy = await this.#disk.open(`${this.#path}.damaged`, 'create');
    let position = await copy.sizeBytes();
    for await (const body of salvage(file, from)) {
      await copy.write([frameHeader(body, position), body], position);
      position += frameHeaderBytes + body.length;
    }
    await copy.sync();
    await copy.close();
    await this.#disk.syncDirectory(folderOf(this.#path));
  }

  async #run(): Promise<void> {
    // What is appended in the same turn shares the sync.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#write(batch.flatMap(({ bodies }) => bodies));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // Later ones build on these: they carry the hash of these in them.
        const all = [...batch, ...this.#waiting];
        this.#waiting = [];
        this.#nextSeq = this.#durableCount;
        for (const { reject } of all) reject(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < logBatchBytesMax)) {
      for (const body of this.#waiting[count]!.bodies) bytes += body.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(bodies: readonly Bytes[]): Promise<void> {
    this.#file ??= await this.#disk.open(this.#path, 'create');
    const file = this.#file;
    const offsets: number[] = [];
    let endBytes = this.#durableBytes;
    const parts: Bytes[] = [];
    for (const body of bodies) {
      assert(body.length <= logRecordBytesMax, 'a log record is bounded');
      offsets.push(endBytes);
      parts.push(frameHeader(body, this.#durableBytes), body);
      endBytes += frameHeaderBytes + body.length;
    }
    try {
      await file.write(parts, this.#durableBytes);
    } catch (error) {
      await this.#takeBack(file);
      throw error;
    }
    try {
      await file.sync();
      if (!this.#nameDurable) await this.#disk.syncDirectory(folderOf(this.#path));
      this.#nameDurable = true;
    } catch (error) {
      // After a failed sync the system may have dropped what was written: nothing it says later can be trusted.
      this.#failure = filesError('LOG_FAILED', 'a sync of the log failed', { cause: error });
      throw error;
    }
    offsets.forEach((offset, index) => {
      if ((this.#durableCount + index) % indexEvery === 0) this.#index.push(offset);
    });
    this.#durableCount += bodies.length;
    this.#durableBytes = endBytes;
  }

  /** A write that failed half-way (a full disk) leaves nothing behind. */
  async #takeBack(file: DiskFile): Promise<void> {
    try {
      await file.truncate(this.#durableBytes);
    } catch (cause) {
      this.#failure = filesError('LOG_FAILED', 'a failed write to the log could not be taken back', {
        cause,
      });
    }
  }

  async *#bodiesFrom(file: DiskFile, start: number): AsyncGenerator<Bytes> {
    const endBytes = this.#durableBytes;
    let position = start;
    let windowBytes = 128 * 1024;
    while (position < endBytes) {
      const window = new Uint8Array(Math.min(windowBytes, endBytes - position));
      const count = await file.read(window, position);
      let offset = 0;
      let frame = parseFrame(window.subarray(0, count), offset);
      for (; typeof frame === 'object'; frame = parseFrame(window.subarray(0, count), offset)) {
        yield frame.body;
        offset += frame.frameBytes;
      }
      const stuck = offset === 0 && windowBytes >= logRecordBytesMax + frameHeaderBytes;
      if (frame === 'bad' || count === 0 || stuck) {
        throw filesError('LOG_CORRUPT', 'a record of the log has changed on the disk');
      }
      windowBytes = logRecordBytesMax + frameHeaderBytes;
      position += offset;
    }
  }
}

/** Bodies of the records that were set aside when the log at `path` was found damaged. */
export async function damagedBodies(disk: Disk, path: string): Promise<readonly Bytes[]> {
  let file: DiskFile;
  try {
    file = await disk.open(`${path}.damaged`, 'read');
  } catch (error) {
    if (hasCode(error, 'DISK_NOT_FOUND')) return [];
    throw error;
  }
  const bodies: Bytes[] = [];
  for await (const body of salvage(file, 0)) bodies.push(new Uint8Array(body));
  await file.close();
  return bodies;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
