import type { Bytes } from '../base/bytes.ts';
import { createLog, type Log, type LogEntry } from '../base/log.ts';
import { ChunkStore, type ChunkStoreOptions } from '../store/chunk-store.ts';
import { chunkIdOf } from '../store/seal.ts';
import type { VolumeOptions } from '../store/volume.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeCompute } from './fake-compute.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKeyValueStore } from './memory-key-value-store.ts';
import { SeededEntropy } from './seeded-entropy.ts';

/** One attached disk of a {@link StoreFixture}: its segments and its index, which survive the store. */
export class FixtureVolume {
  readonly name: string;
  disk: MemoryDisk;
  index: MemoryKeyValueStore;
  readonly #settings: Pick<VolumeOptions, 'limitBytes' | 'segmentBytes'>;

  constructor(
    name: string,
    entropy: SeededEntropy,
    settings: Pick<VolumeOptions, 'limitBytes' | 'segmentBytes'>,
  ) {
    this.name = name;
    this.disk = new MemoryDisk({ entropy });
    this.index = new MemoryKeyValueStore({ entropy });
    this.#settings = settings;
  }

  get options(): VolumeOptions {
    const { name, disk, index } = this;
    return { name, disk, openIndex: async () => index, ...this.#settings };
  }

  powerOff(): void {
    this.disk.powerOff();
    this.index.powerOff();
  }

  crash(): void {
    this.disk.crash();
    this.index.crash();
  }
}

export interface Chunk {
  readonly id: Bytes;
  readonly body: Bytes;
}

/** A chunk store on disks in memory, that can be crashed and opened again. */
export class StoreFixture {
  readonly clock = new FakeClock();
  readonly entropy: SeededEntropy;
  readonly volumes: FixtureVolume[];
  readonly entries: LogEntry[] = [];
  readonly log: Log = createLog(
    'store',
    () => this.clock.wallMs(),
    (entry) => this.entries.push(entry),
  );

  constructor(
    seed: number,
    volumeCount = 1,
    settings: Pick<VolumeOptions, 'limitBytes' | 'segmentBytes'> = {},
  ) {
    this.entropy = new SeededEntropy(seed);
    this.volumes = Array.from(
      { length: volumeCount },
      (_, index) => new FixtureVolume(`disk${index + 1}`, this.entropy, settings),
    );
  }

  open(pool?: Bytes): Promise<ChunkStore> {
    return this.openVolumes(
      this.volumes.map(({ options }) => options),
      pool,
    );
  }

  openVolumes(volumes: readonly VolumeOptions[], pool?: Bytes): Promise<ChunkStore> {
    const options: ChunkStoreOptions = pool === undefined ? { volumes } : { volumes, pool };
    const { clock, entropy, log } = this;
    return ChunkStore.open(options, { clock, entropy, log, compute: fakeCompute });
  }

  crash(): void {
    for (const volume of this.volumes) volume.crash();
  }

  chunk(bytes: number): Chunk {
    const body = this.entropy.bytes(bytes);
    return { id: chunkIdOf(body), body };
  }

  chunks(count: number, bytesMax = 3000): readonly Chunk[] {
    return Array.from({ length: count }, () => this.chunk(this.entropy.below(bytesMax + 1)));
  }
}
