import { createLog, type LogEntry, silentLog } from '../base/log.ts';
import type { Box } from '../box.ts';
import { BoxDisks } from '../box-disks.ts';
import { WatchedMachine } from '../box-machine.ts';
import type { VolumeFacts } from '../status/facts.ts';
import type { VolumeOptions } from '../store/volume.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeCompute } from './fake-compute.ts';
import { FakeDiskShelf, FakeMachine } from './fake-machine.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryKeyValueStore } from './memory-key-value-store.ts';
import { SeededEntropy } from './seeded-entropy.ts';

/** A computer with disks, and the boxes' programs that run on it one after the other. */
export class World {
  readonly clock = new FakeClock();
  readonly entropy = new SeededEntropy(3);
  stateDisk = new MemoryDisk({ entropy: this.entropy });
  readonly shelf = new FakeDiskShelf();
  /** What the programs logged of the machine and its disks. */
  readonly logged: LogEntry[] = [];
  readonly #volumes = new Map<string, { disk: MemoryDisk; index: MemoryKeyValueStore }>();

  volumeAt = (path: string): VolumeOptions => {
    const { entropy } = this;
    const made = this.#volumes.get(path) ?? {
      disk: new MemoryDisk({ entropy }),
      index: new MemoryKeyValueStore({ entropy }),
    };
    this.#volumes.set(path, made);
    return { name: path.split('/').at(-1)!, disk: made.disk, openIndex: async () => made.index };
  };

  diskAt(path: string): MemoryDisk {
    return this.#volumes.get(path)!.disk;
  }

  async start({ pool, awaitsDisks = false }: { pool?: Uint8Array; awaitsDisks?: boolean } = {}) {
    const { clock, entropy, stateDisk, shelf, volumeAt } = this;
    const log = createLog(
      'box',
      () => 0,
      (entry) => this.logged.push(entry),
    );
    const ports = { clock, entropy, stateDisk, shelf, log, machine: new FakeMachine() };
    const machine = await WatchedMachine.start(
      { volumes: [], mounts: '/box/mounts', awaitsDisks, volumeAt },
      ports,
    );
    const storePorts = { clock, entropy, log: silentLog, compute: fakeCompute };
    const disks = await BoxDisks.open(
      { volumes: machine.volumes(), ...(pool && { pool }) },
      stateDisk,
      storePorts,
    );
    machine.attach({ disks } as Box);
    const close = async () => {
      await disks.store.close();
      await machine.close();
    };
    return { machine, disks, close };
  }
}

/** A box that has taken one disk into use, and what that is called. */
export async function startWithDisk() {
  const world = new World();
  world.shelf.attach('sda');
  const box = await world.start();
  await box.machine.adopt('sda');
  const [{ name }] = box.disks.facts().volumes as readonly [VolumeFacts];
  return { world, name, ...box };
}
