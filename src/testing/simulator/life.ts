import type { Clock, Timer } from '../../ports/clock.ts';
import type { DatagramAddress, MulticastNetwork, MulticastOptions } from '../../ports/datagram.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import type { KeyValueStore } from '../../ports/key-value-store.ts';
import type { SecureTransport } from '../../ports/secure-transport.ts';
import type { SeededEntropy } from '../seeded-entropy.ts';

/** A disk that spins up, or tries a bad sector again and again, takes its time now and then. */
const stallChance = 0.002;
const stallMsMax = 3000;

/**
 * One life of a program: the world as it sees it, until it is killed. After that nothing it waits for ever comes,
 * no timer of it fires and nothing it does has an effect, while the next life of the same host runs beside it.
 * Disks answer with a delay, so that a crash can fall between a write and its sync.
 */
export class Life {
  readonly #clock: Clock;
  readonly #entropy: SeededEntropy;
  readonly #timers = new Set<Timer>();
  #alive = true;

  constructor(clock: Clock, entropy: SeededEntropy) {
    this.#clock = clock;
    this.#entropy = entropy;
  }

  get alive(): boolean {
    return this.#alive;
  }

  end(): void {
    this.#alive = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  readonly clock: Clock = {
    wallMs: () => this.#clock.wallMs(),
    monotonicMs: () => this.#clock.monotonicMs(),
    after: (delayMs, action) => {
      if (!this.#alive) return { cancel: () => {} };
      const timer = this.#clock.after(delayMs, () => {
        this.#timers.delete(timer);
        action();
      });
      this.#timers.add(timer);
      return {
        cancel: () => {
          this.#timers.delete(timer);
          timer.cancel();
        },
      };
    },
  };

  disk(disk: Disk): Disk {
    return {
      open: async (path, mode) => this.#file(await this.#operate(0.2, () => disk.open(path, mode))),
      list: (path) => this.#operate(0.2, () => disk.list(path)),
      makeDirectory: (path) => this.#operate(0.2, () => disk.makeDirectory(path)),
      rename: (from, to) => this.#operate(0.2, () => disk.rename(from, to)),
      remove: (path) => this.#operate(0.2, () => disk.remove(path)),
      syncDirectory: (path) => this.#operate(8, () => disk.syncDirectory(path)),
      space: () => this.#operate(0.2, () => disk.space()),
    };
  }

  /** How long a commit takes is the store's own affair: `MemoryKeyValueStore`. */
  store(store: KeyValueStore): KeyValueStore {
    return {
      get: (key) => store.get(key),
      range: (options) => store.range(options),
      write: (changes) => (this.#alive ? this.#answer(store.write(changes)) : never()),
      close: async () => {},
    };
  }

  transport(transport: SecureTransport): SecureTransport {
    return {
      listen: (address, accept) =>
        this.#alive
          ? this.#answer(
              transport.listen(address, (stream) => (this.#alive ? accept(stream) : stream.destroy())),
            )
          : never(),
      connect: async (address, options) => {
        if (!this.#alive) return never();
        const stream = await transport.connect(address, options).catch((error: unknown) => {
          if (this.#alive) throw error;
          return undefined;
        });
        if (this.#alive && stream !== undefined) return stream;
        stream?.destroy();
        return never();
      },
    };
  }

  multicast(network: MulticastNetwork): MulticastNetwork {
    return {
      interfaces: () => network.interfaces(),
      onChange: (listener) => network.onChange(() => this.#alive && listener()),
      open: async (options: MulticastOptions) => {
        if (!this.#alive) return never();
        const socket = await network.open(options);
        return {
          onMessage: (listener) => socket.onMessage((message) => this.#alive && listener(message)),
          send: (bytes, to?: DatagramAddress) => {
            if (this.#alive) socket.send(bytes, to);
          },
          close: () => socket.close(),
        };
      },
    };
  }

  #file(file: DiskFile): DiskFile {
    return {
      read: (into, position) => this.#operate(0.2, () => file.read(into, position)),
      write: (parts, position) => this.#operate(1, () => file.write(parts, position)),
      sync: () => this.#operate(8, () => file.sync()),
      sizeBytes: () => this.#operate(0.1, () => file.sizeBytes()),
      truncate: (sizeBytes) => this.#operate(0.2, () => file.truncate(sizeBytes)),
      close: () => this.#operate(0.1, () => file.close()),
    };
  }

  /** Carries out a disk operation somewhere within up to `mostMs`, and answers after that. */
  async #operate<T>(mostMs: number, operation: () => Promise<T>): Promise<T> {
    const stallMs = this.#entropy.chance(stallChance) ? this.#entropy.below(stallMsMax) : 0;
    const takesMs = (mostMs * (1 + this.#entropy.below(1000))) / 1000 + stallMs;
    const beforeMs = (takesMs * this.#entropy.below(1000)) / 1000;
    await this.#pause(beforeMs);
    if (!this.#alive) return never();
    const outcome = await operation().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    await this.#pause(takesMs - beforeMs);
    return outcome();
  }

  /** Never ends once the life has. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(delayMs, resolve);
    });
  }

  #answer<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#alive && resolve(value),
        (error: unknown) => this.#alive && reject(error),
      );
    });
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
