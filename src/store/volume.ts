import { crc32 } from 'node:zlib';
import type { Bytes } from '../base/bytes.ts';
import { AetherError, describeError, hasCode } from '../base/errors.ts';
import {
  groupBytesMax,
  segmentBytesMax,
  storeCachedChunkBytesMax,
  volumeFullRecheckMs,
  volumeReserveShare,
} from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk, DiskSpace } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { KeyValueStore } from '../ports/key-value-store.ts';
import type { AnswerGate } from './answer-gate.ts';
import type { ChunkIndex, Location } from './chunk-index.ts';
import { stateOf, storeError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { IndexCommitter } from './index-committer.ts';
import { recordsBytes } from './record.ts';
import { readRecord } from './record-reader.ts';
import { type RecoveredLog, recoverLog } from './recovery.ts';
import { SegmentFiles } from './segment-files.ts';
import { type NewRecord, SegmentWriter, type Written } from './segment-writer.ts';
import { claimVolume, enterPool } from './volume-label.ts';
import { VolumeProbe } from './volume-probe.ts';

export interface VolumeOptions {
  /** What people call it: its mount point or label. */
  readonly name: string;
  readonly disk: Disk;
  /** The disk anew, for when it was away: what was known of it before does not hold any more. Default: `disk`. */
  readonly diskAgain?: () => Disk;
  /** The way to the disk that is there, where others go it too: an earlier life of this box. */
  readonly gate?: AnswerGate;
  /** Opens the index. Called once, after the label was found good. */
  readonly openIndex: () => Promise<KeyValueStore>;
  /** Bytes that segments and reserve may take together; default: all that is free. */
  readonly limitBytes?: number;
  /** The volume that was here last, 16 bytes: no other will do. */
  readonly knownId?: Bytes | undefined;
  /** It was emptied, for its disk to be pulled: it is not opened. */
  readonly retired?: boolean;
  /** Size at which a segment takes no more records; `segmentBytesMax` at most, and where it is not given. */
  readonly segmentBytes?: number;
}

export interface VolumePorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** `missing`: its disk is not attached; `retiring`: it is being emptied, and takes nothing. */
export type VolumeState = 'ok' | 'full' | 'failed' | 'missing' | 'retiring';

/** A chunk and its id, 32 bytes. */
export interface ChunkBody {
  readonly id: Bytes;
  readonly body: Bytes;
}

/** One attached disk: its log of segments, and the index over it. */
export class Volume {
  readonly id: Bytes;
  readonly name: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #disk: Disk;
  readonly #index: ChunkIndex;
  readonly #writer: SegmentWriter;
  readonly #files: SegmentFiles;
  readonly #groups: GroupCommit;
  readonly #committer: IndexCommitter;
  readonly #probe: VolumeProbe;
  /** The limit that was configured, if any. */
  readonly #wantedBytes: number | undefined;
  #limitBytes: number;
  readonly #changed: () => void;
  /** Bytes of segments, with what waits to be written. */
  #usedBytes: number;
  /** Bytes of segments that are durable. */
  #durableBytes: number;
  /** What the disk still takes: as it said last, less what was written since. */
  #diskFreeBytes: number;
  #error: AetherError | undefined;
  #fullSinceMs: number | undefined;
  #releasing: Promise<void> = Promise.resolve();
  #retiring = false;

  private constructor(parts: VolumeParts) {
    const { options, ports, recovered } = parts;
    this.id = parts.id;
    this.name = options.name;
    this.#disk = options.disk;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#index = recovered.index;
    const segmentBytes = options.segmentBytes ?? segmentBytesMax;
    this.#writer = new SegmentWriter(options.disk, parts.id, recovered.end, segmentBytes);
    this.#files = new SegmentFiles(options.disk);
    this.#groups = new GroupCommit(this.#writer, {
      durable: (records, bytes, written) => this.#noteDurable(records, bytes, written),
      failed: (error, bytes) => this.#noteFailed(error, bytes),
    });
    const { usedBytes } = recovered;
    const position = { segment: recovered.end.segment, offset: recovered.end.offset, usedBytes };
    // The log has everything: without room for the index nothing is lost, but nothing more is taken either.
    this.#committer = new IndexCommitter(recovered.index, position, ports.clock, (error) =>
      this.#noteFailed(error, 0),
    );
    this.#probe = new VolumeProbe({ disk: options.disk, gone: (error) => this.#fail(error) }, ports);
    this.#wantedBytes = options.limitBytes;
    this.#limitBytes = Math.min(options.limitBytes ?? parts.totalBytes, usedBytes + parts.freeBytes);
    this.#usedBytes = usedBytes;
    this.#durableBytes = usedBytes;
    this.#diskFreeBytes = parts.freeBytes;
    this.#changed = parts.changed;
  }

  /**
   * Opens the volume and brings its index up to its log; on an empty disk, makes a volume. `changed` is called when
   * it becomes full or fails. Errors: those of `claimVolume` and `recoverLog`.
   */
  static async open(
    options: VolumeOptions,
    pool: Bytes | undefined,
    ports: VolumePorts,
    changed: () => void,
  ): Promise<Volume> {
    const { volume: id } = await claimVolume(options.disk, { pool, knownId: options.knownId }, ports);
    const store = await options.openIndex();
    try {
      const recovered = await recoverLog(options.disk, id, store, ports.log);
      const space = await options.disk.space();
      return new Volume({ options, ports, id, recovered, changed, ...space });
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get error(): AetherError | undefined {
    return this.#error;
  }

  get state(): VolumeState {
    if (this.#error !== undefined) return stateOf(this.#error);
    if (this.#retiring) return 'retiring';
    return this.#fullSinceMs === undefined ? 'ok' : 'full';
  }

  /** What chunks may take: the limit less the reserve. */
  get capacityBytes(): number {
    return Math.floor(this.#limitBytes * (1 - volumeReserveShare));
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    const reserveBytes = Math.ceil(this.#limitBytes * volumeReserveShare);
    const free = Math.min(this.capacityBytes - this.#usedBytes, this.#diskFreeBytes - reserveBytes);
    return this.#error === undefined ? Math.max(0, free) : 0;
  }

  get chunkCount(): number {
    return this.#error === undefined ? this.#index.chunkCount : 0;
  }

  get corruptRecords(): number {
    return this.#index.corruptCount;
  }

  /** Whether the chunk is here and durable. Errors: none; a volume whose index fails has failed. */
  has(id: Bytes): boolean {
    return this.#locate(id) !== undefined;
  }

  /** Whether the volume is there, as of `volumeProbeFreshMs` ago or later; one that is not has failed. */
  async answers(): Promise<boolean> {
    return this.#error === undefined && (await this.#probe.answers()) && this.#error === undefined;
  }

  /** Whether so many bytes of records may be written here now. Notes it when not. */
  hasRoom(bytes: number): boolean {
    if (this.#error !== undefined || this.#retiring) return false;
    const nowMs = this.#clock.monotonicMs();
    if (this.#fullSinceMs !== undefined && nowMs - this.#fullSinceMs >= volumeFullRecheckMs) {
      this.#fullSinceMs = nowMs;
      void this.#recheckSpace();
    }
    if (this.#fullSinceMs === undefined && bytes > this.freeBytes) this.#becomeFull();
    return this.#fullSinceMs === undefined;
  }

  /**
   * Writes chunks; durable when it resolves. The bodies must not change meanwhile. Rejects with the error that the
   * volume failed or was full with; then none of them is here.
   */
  put(chunks: readonly ChunkBody[]): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#usedBytes += recordsBytes(chunks);
    return this.#groups.put(chunks.map(({ id, body }) => ({ id, body, bodyCrc: crc32(body) })));
  }

  /**
   * The chunk's body, its checksum verified; undefined when it is not here. A record that is damaged leaves the
   * index, so that a new `put` heals it. Errors: `CHUNK_CORRUPT`, and `DiskErrorCode` when the volume failed.
   */
  async get(id: Bytes, allocate?: (bytes: number) => Bytes): Promise<Bytes | undefined> {
    const location = this.#locate(id);
    if (location === undefined) return undefined;
    let body: Bytes | undefined;
    try {
      body = await this.#files.use(location.segment, (file) =>
        readRecord(file, location, id, location.bodyBytes > storeCachedChunkBytesMax ? allocate : undefined),
      );
    } catch (error) {
      if (hasCode(error, 'DISK_GONE') || hasCode(error, 'DISK_SILENT')) this.#fail(error);
      // One bad sector, or a segment that somebody deleted, is no reason to give up the rest.
      else if (!hasCode(error, 'DISK_IO') && !hasCode(error, 'DISK_NOT_FOUND')) throw error;
      if (this.#error !== undefined) throw error;
    }
    if (body === undefined) this.#quarantine(id, location);
    return body;
  }

  /** Whether the chunk's record can be read and is whole; unlike `get` it concludes nothing about one that is not. */
  async reads(id: Bytes): Promise<boolean> {
    const location = this.#locate(id);
    if (location === undefined) return false;
    const read = this.#files.use(location.segment, (file) => readRecord(file, location, id));
    return (await read.catch(() => undefined)) !== undefined;
  }

  /** Notes on the disk which pool it belongs to from now on; durable on return. A disk that cannot has failed. */
  async enterPool(pool: Bytes): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      await enterPool(this.#disk, pool);
    } catch (error) {
      this.#noteFailed(error, 0);
    }
  }

  /** From now on it takes no more chunks, and is not counted on for those it has; or it is again. */
  set retiring(retiring: boolean) {
    if (this.#retiring === retiring) return;
    this.#retiring = retiring;
    this.#changed();
  }

  get retiring(): boolean {
    return this.#retiring;
  }

  /** Ids of every chunk here, a page at a time; of a volume that takes no more chunks. Errors: `DiskErrorCode`. */
  async *chunkIds(pageSize: number): AsyncGenerator<readonly Bytes[]> {
    await this.#groups.idle();
    yield* this.idsNow(pageSize);
  }

  /** As `chunkIds`, without those that are on their way here. */
  *idsNow(pageSize: number): Generator<readonly Bytes[]> {
    const pages = this.#index.idPages(pageSize);
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const page = pages.next();
      if (page.done) return;
      yield page.value.filter((id) => this.has(id));
    }
  }

  /** Its disk was pulled: nothing is asked of it any more. What failed right before that failed for this reason. */
  pulled(): void {
    const error = storeError('VOLUME_MISSING', 'its disk was pulled');
    if (this.#error === undefined) this.#fail(error);
    else if (stateOf(this.#error) === 'failed' && !hasCode(this.#error, 'STORE_CLOSED')) {
      this.#error = error;
      this.#changed();
    }
  }

  /** Resolves when a volume that failed has let go of its files. */
  async released(): Promise<void> {
    await this.#releasing;
  }

  /**
   * Writes what waits, commits the index, and closes; a volume that failed has let go of its files, or its gate is silent.
   * Later calls fail.
   */
  async close(): Promise<void> {
    if (this.#error !== undefined) return this.released();
    await this.#groups.idle();
    this.#groups.stop(closedError());
    await this.#committer.flush();
    if (this.#error !== undefined) return this.released();
    this.#error = closedError();
    await this.#closeParts();
  }

  #locate(id: Bytes): Location | undefined {
    if (this.#error !== undefined) return undefined;
    try {
      return this.#index.get(id);
    } catch (error) {
      this.#noteFailed(error, 0);
      return undefined;
    }
  }

  #quarantine(id: Bytes, location: Location): never {
    const { segment, offset } = location;
    this.#log.error('chunk record is damaged', { code: 'CHUNK_CORRUPT', segment, offset });
    this.#index.quarantine(id, location);
    this.#committer.advance();
    throw storeError('CHUNK_CORRUPT', 'the stored chunk is damaged', { fields: { segment, offset } });
  }

  #noteDurable(records: readonly NewRecord[], bytes: number, written: Written): void {
    // The disk was given up while this group was on its way to it.
    if (this.#error !== undefined) throw this.#error;
    const { locations, end } = written;
    this.#durableBytes += written.bytes;
    this.#diskFreeBytes -= written.bytes;
    this.#usedBytes += written.bytes - bytes;
    records.forEach(({ id }, index) => {
      this.#index.add(id, locations[index]!);
    });
    this.#committer.advance({ segment: end.segment, offset: end.offset, usedBytes: this.#durableBytes });
  }

  #noteFailed(error: unknown, bytes: number): void {
    // A bug of ours: nothing is known any more.
    if (!(error instanceof AetherError)) throw error;
    this.#usedBytes -= bytes;
    if (hasCode(error, 'DISK_FULL')) this.#becomeFull();
    else this.#fail(error);
  }

  #becomeFull(): void {
    if (this.#fullSinceMs !== undefined) return;
    this.#fullSinceMs = this.#clock.monotonicMs();
    this.#log.warn('volume is full', { volume: this.name, usedBytes: this.#usedBytes });
    this.#changed();
  }

  async #recheckSpace(): Promise<void> {
    try {
      const { totalBytes, freeBytes } = await this.#disk.space();
      this.#diskFreeBytes = freeBytes;
      // A disk that somebody else had filled when it was opened has more to give now.
      const limitBytes = Math.min(this.#wantedBytes ?? totalBytes, this.#durableBytes + freeBytes);
      this.#limitBytes = Math.max(this.#limitBytes, limitBytes);
      if (this.freeBytes > groupBytesMax) {
        this.#fullSinceMs = undefined;
        this.#changed();
      }
    } catch (error) {
      this.#noteFailed(error, 0);
    }
  }

  /** Drops the volume: nothing is read from it or written to it any more. */
  #fail(error: AetherError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#log.error('volume failed and is dropped', { volume: this.name, error: describeError(error) });
    this.#groups.stop(error);
    this.#releasing = this.#closeParts().catch(() => {});
    this.#changed();
  }

  /** Closes what nobody uses any more. */
  async #closeParts(): Promise<void> {
    await Promise.all([this.#groups.idle(), this.#committer.stop()]);
    this.#files.close();
    const [writer, index] = await Promise.allSettled([this.#writer.close(), this.#index.close()]);
    for (const each of [writer, index]) if (each.status === 'rejected') throw each.reason;
  }
}

function closedError(): AetherError {
  return storeError('STORE_CLOSED', 'the chunk store is closed');
}

interface VolumeParts extends DiskSpace {
  readonly options: VolumeOptions;
  readonly ports: VolumePorts;
  readonly id: Bytes;
  readonly recovered: RecoveredLog;
  readonly changed: () => void;
}
