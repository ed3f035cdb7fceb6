import { assert } from '../base/assert.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { AetherError, describeError, hasCode } from '../base/errors.ts';
import {
  putBytesInFlightMax,
  sealedChunkBytesMax,
  storeCacheBytesMax,
  storeCachedChunkBytesMax,
  volumeProbePeriodMs,
} from '../base/limits.ts';
import { Semaphore } from '../base/semaphore.ts';
import { every, type Timer } from '../ports/clock.ts';
import type { Compute } from '../ports/compute.ts';
import { ChunkCache } from './chunk-cache.ts';
import { nameOf } from './chunk-index.ts';
import { storeError } from './errors.ts';
import { recordsBytes } from './record.ts';
import { type ChunkBody, Volume, type VolumeOptions, type VolumePorts, type VolumeState } from './volume.ts';

export interface ChunkStoreOptions {
  readonly volumes: readonly VolumeOptions[];
  /** The pool this box belongs to, 16 bytes; absent before it is claimed. */
  readonly pool?: Bytes;
}

export interface ChunkStorePorts extends VolumePorts {
  readonly compute: Compute;
}

export interface ChunkStoreStatus {
  readonly volumes: readonly VolumeStatus[];
}

export interface VolumeStatus {
  readonly name: string;
  /** 16 bytes; undefined when the volume could not be opened. */
  readonly id: Bytes | undefined;
  readonly state: VolumeState;
  /** Why it failed. */
  readonly error: AetherError | undefined;
  /** The limit less the reserve. */
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly chunkCount: number;
  readonly corruptRecords: number;
}

interface Unopened {
  readonly name: string;
  readonly error: AetherError;
}

/** Sealed chunks on the disks of one box. */
export class ChunkStore {
  readonly #compute: Compute;
  readonly #volumes: Volume[] = [];
  readonly #unopened: Unopened[] = [];
  readonly #cache = new ChunkCache(storeCacheBytesMax, storeCachedChunkBytesMax);
  readonly #semaphore = new Semaphore(putBytesInFlightMax);
  /** Chunks that are being written, by id; those that came together share one promise. */
  readonly #puts = new Map<string, Promise<void>>();
  readonly #listeners = new Set<() => void>();
  readonly #probing: Timer;
  #closed = false;

  private constructor({ compute, clock }: ChunkStorePorts) {
    this.#compute = compute;
    // Not awaited: a disk that hangs must not keep the others from being looked at.
    this.#probing = every(clock, volumeProbePeriodMs, () => {
      for (const volume of this.#volumes) void volume.answers();
    });
  }

  /**
   * Opens every volume, each recovered to its last acknowledged chunk. One that cannot be opened is `failed` in the
   * status, with its error; the others serve.
   */
  static async open(options: ChunkStoreOptions, ports: ChunkStorePorts): Promise<ChunkStore> {
    const store = new ChunkStore(ports);
    const changed = () => {
      for (const listener of store.#listeners) listener();
    };
    for (const each of options.volumes) {
      try {
        const volume = await Volume.open(each, options.pool, ports, changed);
        if (!store.#volumes.some(({ id }) => equalBytes(id, volume.id))) store.#volumes.push(volume);
        else {
          await volume.close();
          throw storeError('VOLUME_DUPLICATE', 'the volume is attached twice');
        }
      } catch (cause) {
        ports.log.error('volume cannot be opened', { volume: each.name, error: describeError(cause) });
        if (!(cause instanceof AetherError)) {
          await store.close();
          throw cause;
        }
        store.#unopened.push({ name: each.name, error: cause });
      }
    }
    return store;
  }

  /** As `putMany`, of one. */
  put(id: Bytes, body: Bytes): Promise<void> {
    return this.putMany([{ id, body }]);
  }

  /**
   * Keeps chunks, `putBytesInFlightMax` at most; durable when it resolves. One that is held already is not written
   * again: it resolves once its volume was seen to be there. The bodies must not change meanwhile. Errors, after which
   * some of them may be held: `CHUNK_ID_MISMATCH` when an id is not SHA-256 of its body, `CHUNK_TOO_LARGE`,
   * `STORE_FULL`, `STORE_NO_VOLUME`, `STORE_CLOSED`.
   */
  async putMany(chunks: readonly ChunkBody[]): Promise<void> {
    this.#checkOpen();
    const tooLarge = chunks.find(({ body }) => body.length > sealedChunkBytesMax);
    if (tooLarge !== undefined) {
      throw storeError('CHUNK_TOO_LARGE', 'the chunk is larger than any pool may use', {
        fields: { bytes: tooLarge.body.length, bytesMax: sealedChunkBytesMax },
      });
    }
    const missing = await this.#missing(chunks);
    if (missing.length === 0) return;
    const bytes = missing.reduce((sum, { body }) => sum + body.length, 0);
    await this.#semaphore.acquire(bytes);
    try {
      for (const chunk of missing) await this.#verify(chunk);
      // Some may have been written while these were waiting.
      await this.#writeOnce(await this.#missing(missing));
    } finally {
      this.#semaphore.release(bytes);
    }
  }

  /**
   * The chunk's bytes, which the caller must not change; a large chunk in memory that `allocate` gives, if it is
   * given. Errors: `CHUNK_NOT_FOUND`; `CHUNK_CORRUPT` when every copy here is damaged (it is not held any more then,
   * and `put` heals it).
   */
  async get(id: Bytes, allocate?: (bytes: number) => Bytes): Promise<Bytes> {
    this.#checkOpen();
    const name = nameOf(id);
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    let failure: unknown;
    for (const volume of this.#volumes) {
      try {
        const body = await volume.get(id, allocate);
        if (body === undefined) continue;
        this.#cache.add(name, body);
        return body;
      } catch (error) {
        if (!(error instanceof AetherError)) throw error;
        failure = error;
      }
    }
    if (hasCode(failure, 'CHUNK_CORRUPT')) throw failure;
    throw storeError('CHUNK_NOT_FOUND', 'the chunk is not here', {
      fields: { id: toHex(id) },
      cause: failure,
    });
  }

  /**
   * Whether the chunk is held, durably, on a volume that was there `volumeProbeFreshMs` ago or later. Its record is
   * not read: whether it is whole shows when somebody gets it.
   */
  async holds(id: Bytes): Promise<boolean> {
    for (const volume of this.#volumes) {
      if (volume.has(id) && (await volume.answers()) && volume.has(id)) return true;
    }
    return false;
  }

  /** Whether the index says that the chunk is held; its volume may have been taken away since. */
  has(id: Bytes): boolean {
    assert(id.length === 32, 'a chunk id has 32 bytes');
    for (const volume of this.#volumes) if (volume.has(id)) return true;
    return false;
  }

  /** To be called when the box is claimed: its disks are the pool's from then on, wherever they are attached. */
  async enterPool(pool: Bytes): Promise<void> {
    await Promise.all(this.#volumes.map((volume) => volume.enterPool(pool)));
  }

  status(): ChunkStoreStatus {
    const unopened = this.#unopened.map(
      ({ name, error }): VolumeStatus => ({
        name,
        id: undefined,
        state: 'failed',
        error,
        capacityBytes: 0,
        usedBytes: 0,
        freeBytes: 0,
        chunkCount: 0,
        corruptRecords: 0,
      }),
    );
    return { volumes: [...this.#volumes.map(statusOf), ...unopened] };
  }

  /** Calls `listener` when a volume fails, becomes full, or is no longer full; the returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets what is on its way become durable, commits the indexes and closes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#probing.cancel();
    await Promise.allSettled(this.#puts.values());
    await Promise.all(this.#volumes.map((volume) => volume.close()));
  }

  async #missing(chunks: readonly ChunkBody[]): Promise<readonly ChunkBody[]> {
    const missing: ChunkBody[] = [];
    for (const chunk of chunks) {
      // Not asked of each what is known at once: most chunks of a put are new.
      if (!this.has(chunk.id) || !(await this.holds(chunk.id))) missing.push(chunk);
    }
    return missing;
  }

  async #verify({ id, body }: ChunkBody): Promise<void> {
    if (equalBytes(await this.#compute.sha256(body), id)) return;
    throw storeError('CHUNK_ID_MISMATCH', 'the bytes are not those that the chunk id names', {
      fields: { id: toHex(id) },
    });
  }

  /** Writes those that nobody is writing, and waits for the others. */
  async #writeOnce(chunks: readonly ChunkBody[]): Promise<void> {
    const fresh = new Map<string, ChunkBody>();
    const writing = new Set<Promise<void>>();
    for (const chunk of chunks) {
      const name = nameOf(chunk.id);
      const put = this.#puts.get(name);
      if (put === undefined) fresh.set(name, chunk);
      else writing.add(put);
    }
    if (fresh.size > 0) {
      const put = this.#write([...fresh.values()]).finally(() => {
        for (const name of fresh.keys()) this.#puts.delete(name);
      });
      for (const name of fresh.keys()) this.#puts.set(name, put);
      writing.add(put);
    }
    await Promise.all(writing);
  }

  /** Writes to the volume with the largest free share; to the next one when that one fails or is full. */
  async #write(chunks: readonly ChunkBody[]): Promise<void> {
    const bytes = recordsBytes(chunks);
    for (;;) {
      const volume = this.#roomiest(bytes);
      if (volume === undefined) throw this.#noRoom();
      try {
        await volume.put(chunks);
        return;
      } catch (error) {
        // The volume has noted that it failed or is full, and is not chosen again.
        if (!(error instanceof AetherError)) throw error;
        if (volume.state === 'ok' && !hasCode(error, 'DISK_FULL')) throw error;
      }
    }
  }

  #roomiest(bytes: number): Volume | undefined {
    let best: Volume | undefined;
    let bestShare = -1;
    for (const volume of this.#volumes) {
      if (!volume.hasRoom(bytes)) continue;
      const share = volume.freeBytes / volume.capacityBytes;
      if (share > bestShare) [best, bestShare] = [volume, share];
    }
    return best;
  }

  #noRoom(): AetherError {
    if (this.#closed) return storeError('STORE_CLOSED', 'the chunk store is closed');
    if (this.#volumes.every(({ state }) => state === 'failed')) {
      return storeError('STORE_NO_VOLUME', 'no disk of this box works');
    }
    return storeError('STORE_FULL', 'no disk of this box has room');
  }

  #checkOpen(): void {
    if (this.#closed) throw storeError('STORE_CLOSED', 'the chunk store is closed');
  }
}

function statusOf(volume: Volume): VolumeStatus {
  const { name, id, state, error, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords } = volume;
  return { name, id, state, error, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords };
}
