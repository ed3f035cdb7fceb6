import { describeError } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Clock } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { VolumeFacts, WorkFacts } from './status/facts.ts';
import { ChunkStore, type ChunkStoreOptions, type ChunkStorePorts } from './store/chunk-store.ts';
import { KnownVolumes } from './store/known-volumes.ts';
import type { RetirementPorts } from './store/retirement.ts';
import type { VolumeOptions } from './store/volume.ts';
import type { VolumeStatus } from './store/volume-slot.ts';

/** A disk that is being emptied. */
interface Retirement {
  readonly startedMs: number;
  readonly totalBytes: number;
  doneBytes: number;
}

/** The disks of one box: the chunks on them, which of them belong where, and those that are to go. */
export class BoxDisks {
  readonly store: ChunkStore;
  readonly #known: KnownVolumes;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #retirements = new Map<string, Retirement>();
  /** Why disks could not be emptied, by name. */
  readonly #notRetired = new Map<string, string>();
  /** Why disks that are attached could not be mounted, by name. */
  readonly #notMounted = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  private constructor(store: ChunkStore, known: KnownVolumes, { clock, log }: ChunkStorePorts) {
    this.store = store;
    this.#known = known;
    this.#clock = clock;
    this.#log = log;
    store.onChange(() => {
      void this.#note();
      this.#changed();
    });
  }

  /** Errors: those of the state disk, and of {@link ChunkStore.open}. */
  static async open(options: ChunkStoreOptions, stateDisk: Disk, ports: ChunkStorePorts): Promise<BoxDisks> {
    const known = await KnownVolumes.open(stateDisk, ports);
    const volumes = options.volumes.map((volume) => ({ ...volume, ...placeOf(known, volume.name) }));
    const disks = new BoxDisks(await ChunkStore.open({ ...options, volumes }, ports), known, ports);
    await disks.#note();
    return disks;
  }

  facts(): { readonly volumes: readonly VolumeFacts[]; readonly work: readonly WorkFacts[] } {
    const nowMs = this.#clock.monotonicMs();
    return {
      volumes: this.store.status().volumes.map((volume) => this.#factsOf(volume)),
      work: [...this.#retirements].map(([subject, { startedMs, totalBytes, doneBytes }]) => ({
        kind: 'retire',
        subject,
        doneBytes: Math.min(doneBytes, totalBytes),
        totalBytes,
        sinceMs: nowMs - startedMs,
      })),
    };
  }

  /** Calls `listener` when the facts are likely to be others. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Empties a volume, so that its disk may be pulled; it is not opened again, after a restart either. Errors: those of
   * {@link ChunkStore.retire}.
   */
  async retire(name: string, elsewhere: RetirementPorts['elsewhere'] | undefined): Promise<void> {
    const before = this.#statusOf(name);
    const startedMs = this.#clock.monotonicMs();
    const retirement = { startedMs, totalBytes: before?.usedBytes ?? 0, doneBytes: 0 };
    this.#notRetired.delete(name);
    const running = this.store.retire(name, elsewhere, (bytes) => {
      retirement.doneBytes += bytes;
    });
    if (!this.#retirements.has(name)) this.#retirements.set(name, retirement);
    try {
      await running;
      if (before?.id !== undefined) await this.#known.note(name, { id: before.id, retired: true });
    } catch (error) {
      // Another retirement of the same disk may be going on.
      if (this.#retirements.get(name) === retirement) this.#notRetired.set(name, describeError(error));
      throw error;
    } finally {
      if (this.#retirements.get(name) === retirement) this.#retirements.delete(name);
      this.#changed();
    }
  }

  /** One more disk, from now on. */
  async attach(volume: VolumeOptions): Promise<void> {
    await this.store.attach({ ...volume, ...placeOf(this.#known, volume.name) });
    await this.#note();
    this.#changed();
  }

  /**
   * A disk that is gone for good is not missed any more, and another may take its place. Errors: `VOLUME_UNKNOWN`, those
   * of the state disk.
   */
  async forget(name: string): Promise<void> {
    await this.store.forget(name, () => this.#known.forget(name));
  }

  /**
   * A disk that is gone for good has no place here any more; `note` sees to it that it has none after a restart either,
   * before it is forgotten that it was emptied. Errors: `VOLUME_UNKNOWN`, those of the state disk.
   */
  async detach(name: string, note: () => Promise<void>): Promise<void> {
    await this.store.detach(name);
    await note();
    await this.#known.forget(name);
  }

  /** `reason`: why the disk of this volume, which is attached, cannot be mounted; undefined when that is not so any more. */
  noteMount(name: string, reason: string | undefined): void {
    if (this.#notMounted.get(name) === reason) return;
    if (reason === undefined) this.#notMounted.delete(name);
    else this.#notMounted.set(name, reason);
    this.#changed();
  }

  #factsOf(volume: VolumeStatus): VolumeFacts {
    const { name, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords } = volume;
    const isAway = volume.state === 'missing' || volume.state === 'failed';
    // What the store found in its place tells of an empty folder.
    const notMounted = isAway ? this.#notMounted.get(name) : undefined;
    const state = notMounted === undefined ? volume.state : 'failed';
    const error = notMounted ?? volume.error?.message ?? this.#notRetired.get(name) ?? null;
    return { name, state, error, capacityBytes, usedBytes, freeBytes, chunkCount, corruptRecords };
  }

  /** Remembers which volume is in which place. A box that has no room to note it serves all the same. */
  async #note(): Promise<void> {
    for (const { name } of this.store.status().volumes) {
      // As it is now: it may have been emptied while those before it were noted.
      const { id, state } = this.#statusOf(name) ?? {};
      if (id === undefined || (state !== 'ok' && state !== 'full')) continue;
      await this.#known.note(name, { id, retired: false }).catch((error: unknown) => {
        this.#log.warn('volume not noted', { volume: name, reason: describeError(error) });
      });
    }
  }

  #statusOf(name: string): VolumeStatus | undefined {
    return this.store.status().volumes.find((volume) => volume.name === name);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function placeOf(known: KnownVolumes, name: string): Pick<VolumeOptions, 'knownId' | 'retired'> {
  const place = known.get(name);
  return place === undefined ? {} : { knownId: place.id, retired: place.retired };
}
