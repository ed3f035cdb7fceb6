import { assert } from '../base/assert.ts';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import { AetherError, hasCode } from '../base/errors.ts';
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
import { emptyVolume, nowhereElse, type RetirementPorts } from './retirement.ts';
import type { ChunkBody, Volume, VolumeOptions, VolumePorts } from './volume.ts';
import { volumeReadsWell } from './volume-proof.ts';
import { VolumeSlot, type VolumeStatus } from './volume-slot.ts';

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

/** Sealed chunks on the disks of one box. */
export class ChunkStore {
  readonly #compute: Compute;
  readonly #slots: VolumeSlot[];
  readonly #slotFor: (options: VolumeOptions) => VolumeSlot;
  /** Of the slots, in their order; failed ones too. */
  #volumes: readonly Volume[] = [];
  readonly #cache = new ChunkCache(storeCacheBytesMax, storeCachedChunkBytesMax);
  readonly #semaphore = new Semaphore(putBytesInFlightMax);
  /** Chunks that are being written, by id; those that came together share one promise. */
  readonly #puts = new Map<string, Promise<void>>();
  readonly #listeners = new Set<() => void>();
  readonly #probing: Timer;
  #reopening: Promise<void> = Promise.resolve();
  #closed = false;

  #pool: Bytes | undefined;

  private constructor({ volumes, pool }: ChunkStoreOptions, ports: ChunkStorePorts) {
    this.#compute = ports.compute;
    this.#pool = pool;
    const changed = () => this.#changed();
    this.#slotFor = (options) => new VolumeSlot(options, ports, changed);
    this.#slots = volumes.map(this.#slotFor);
    this.#probing = every(ports.clock, volumeProbePeriodMs, () => this.#probe());
  }

  /**
   * Opens every volume, each recovered to its last acknowledged chunk. One that cannot be opened is `failed` or
   * `missing` in the status, with its error; the others serve.
   */
  static async open(options: ChunkStoreOptions, ports: ChunkStorePorts): Promise<ChunkStore> {
    const store = new ChunkStore(options, ports);
    try {
      for (const slot of store.#slots) await store.#openSlot(slot);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** One more place for a volume; what is there is opened. Errors: none; a volume that cannot be opened says why. */
  async attach(options: VolumeOptions): Promise<void> {
    this.#slots.push(this.#slotFor(options));
    await this.reopen(options.name);
  }

  /** The disk of this volume was pulled, as somebody knows who saw it go. */
  pulled(name: string): void {
    this.#slots.find((slot) => slot.name === name)?.volume?.pulled();
  }

  /**
   * Empties a volume, so that its disk may be pulled; when it resolves the volume is closed, and stays so. `elsewhere`
   * sees to it that other boxes have copies enough of what does not fit here. Errors, after which the volume serves as
   * before: `VOLUME_UNKNOWN`, `RETIRE_NO_ROOM`, `DiskErrorCode`.
   */
  async retire(
    name: string,
    elsewhere: RetirementPorts['elsewhere'] = nowhereElse,
    progress: (bytes: number) => void = () => {},
  ): Promise<void> {
    const slot = this.#slots.find((each) => each.name === name);
    const volume = slot?.volume;
    if (slot === undefined || volume === undefined || volume.error !== undefined || volume.retiring) {
      throw storeError('VOLUME_UNKNOWN', `no disk ${name} can be retired`);
    }
    volume.retiring = true;
    try {
      await emptyVolume(volume, {
        holds: (id) => this.holds(id),
        put: (chunks) => this.putMany(chunks),
        elsewhere,
        progress,
      });
    } catch (error) {
      volume.retiring = false;
      throw error;
    }
    await slot.retire();
    this.#listVolumes();
    this.#changed();
  }

  /**
   * Whatever is in the place of a volume that is not served is taken from now on; `note` makes that known to the next
   * start first. Errors: `VOLUME_UNKNOWN`, those of `note`.
   */
  async forget(name: string, note: () => Promise<void>): Promise<void> {
    await this.#inTurn(async () => {
      const slot = this.#slotAway(name);
      await note();
      slot.forget();
    });
    await this.reopen(name);
  }

  /** There is no place any more for a volume that is not served. Errors: `VOLUME_UNKNOWN`. */
  async detach(name: string): Promise<void> {
    await this.#inTurn(async () => {
      const slot = this.#slotAway(name);
      this.#slots.splice(this.#slots.indexOf(slot), 1);
      this.#listVolumes();
      await slot.retire();
    });
    this.#changed();
  }

  #slotAway(name: string): VolumeSlot {
    const slot = this.#slots.find((each) => each.name === name);
    if (slot === undefined || slot.isServed) throw storeError('VOLUME_UNKNOWN', `no disk ${name} is missing`);
    return slot;
  }

  /** Looks whether volumes that are not served can be now; `name`: only this one. One attempt runs at a time. */
  reopen(name?: string): Promise<void> {
    return this.#inTurn(async () => {
      for (const slot of this.#slots) {
        if (!this.#closed && (name === undefined || slot.name === name) && !slot.isServed)
          await this.#openSlot(slot);
      }
    });
  }

  /** No place is being opened meanwhile, but by `action`. */
  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#reopening.then(action);
    this.#reopening = turn.catch(() => {});
    return turn;
  }

  async #openSlot(slot: VolumeSlot): Promise<void> {
    const others = this.#slots
      .filter((other) => other !== slot)
      .flatMap(({ id }) => (id === undefined ? [] : [id]));
    const wasServed = slot.isServed;
    const pool = this.#pool;
    await slot.open(pool, others);
    this.#listVolumes();
    // The box was claimed meanwhile.
    if (this.#pool !== undefined && this.#pool !== pool) await slot.volume?.enterPool(this.#pool);
    if (slot.isServed !== wasServed) this.#changed();
  }

  #listVolumes(): void {
    this.#volumes = this.#slots.flatMap(({ volume }) => (volume === undefined ? [] : [volume]));
  }

  /** Not awaited: a disk that hangs must not keep the others from being looked at. */
  #probe(): void {
    for (const volume of this.#volumes) void volume.answers();
    for (const slot of this.#slots) if (slot.mayComeBack) void this.reopen(slot.name);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
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
      if (!isCountedOn(volume, id)) continue;
      if ((await volume.answers()) && isCountedOn(volume, id)) return true;
    }
    return false;
  }

  /**
   * Names of the volumes of whose first chunks none can be read from the disk, or is what its id says; one without chunks
   * is not among them. What cannot be read stays as it is: whoever reads may be at fault.
   */
  async unreadable(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const { name, volume } of this.#slots) {
      if (volume !== undefined && !(await volumeReadsWell(volume))) names.push(name);
    }
    return names;
  }

  /** Whether the index says that the chunk is held; its volume may have been taken away since. */
  has(id: Bytes): boolean {
    assert(id.length === 32, 'a chunk id has 32 bytes');
    for (const volume of this.#volumes) if (isCountedOn(volume, id)) return true;
    return false;
  }

  /** To be called when the box is claimed: its disks are the pool's from then on, wherever they are attached. */
  async enterPool(pool: Bytes): Promise<void> {
    this.#pool = pool;
    await Promise.all(this.#volumes.map((volume) => volume.enterPool(pool)));
    // Disks that the pool had filled already, in another box or before a reset.
    await this.reopen();
  }

  status(): ChunkStoreStatus {
    return { volumes: this.#slots.map((slot) => slot.status()) };
  }

  /** Calls `listener` when a volume fails, comes back, becomes full, or is no longer full; the returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets what is on its way become durable, commits the indexes and closes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#probing.cancel();
    await this.#reopening;
    await Promise.allSettled(this.#puts.values());
    const closing = this.#volumes.map((volume) => volume.close());
    await Promise.allSettled(closing);
    await Promise.all(closing);
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
    // Waits for all, also when one fails: the memory of the bodies serves others afterwards.
    await Promise.allSettled(writing);
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
    if (this.#volumes.every(({ error }) => error !== undefined)) {
      return storeError('STORE_NO_VOLUME', 'no disk of this box works');
    }
    return storeError('STORE_FULL', 'no disk of this box has room');
  }

  #checkOpen(): void {
    if (this.#closed) throw storeError('STORE_CLOSED', 'the chunk store is closed');
  }
}

/** A volume that is being emptied still gives what it has, but does not hold it any more. */
function isCountedOn(volume: Volume, id: Bytes): boolean {
  return !volume.retiring && volume.has(id);
}
