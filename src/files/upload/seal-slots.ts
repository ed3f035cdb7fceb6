import type { Bytes } from '../../base/bytes.ts';

/**
 * Memory that the sealing threads share with the thread that stores: `count` slots, each holding the sealed chunks of
 * one batch. A thread that finds no free slot waits, so what is sealed and not yet stored is bounded; and the same
 * memory is used again and again, where handing over fresh memory made the collector run for every few batches.
 *
 * Cell 0: the free slots, a bit each; cell 1: not 0 when everybody should stop.
 */
export class SealSlots {
  readonly shared: SharedSlots;
  readonly #cells: Int32Array;

  constructor(shared: SharedSlots) {
    this.shared = shared;
    this.#cells = new Int32Array(shared.cells);
  }

  /** Up to 31 slots. */
  static create(count: number, slotBytes: number): SealSlots {
    const slots = new SealSlots({
      cells: new SharedArrayBuffer(8),
      memory: new SharedArrayBuffer(count * slotBytes),
      slotBytes,
    });
    slots.#cells[0] = 2 ** count - 1;
    return slots;
  }

  /** Waits, blocking the thread, for a free slot; undefined when everything is to stop. */
  acquire(): number | undefined {
    for (;;) {
      if (this.stopped) return undefined;
      const free = Atomics.load(this.#cells, 0);
      if (free === 0) {
        Atomics.wait(this.#cells, 0, free);
        continue;
      }
      const lowest = free & -free;
      if (Atomics.compareExchange(this.#cells, 0, free, free & ~lowest) === free) {
        return 31 - Math.clz32(lowest);
      }
    }
  }

  release(slot: number): void {
    Atomics.or(this.#cells, 0, 1 << slot);
    Atomics.notify(this.#cells, 0);
  }

  /** The first `bytes` of a slot. */
  memoryOf(slot: number, bytes = this.shared.slotBytes): Bytes {
    return new Uint8Array(this.shared.memory, slot * this.shared.slotBytes, bytes);
  }

  /** Lets every thread that waits go, to stop. */
  stop(): void {
    Atomics.store(this.#cells, 1, 1);
    // A thread that has just looked sees another value, and does not fall asleep.
    Atomics.or(this.#cells, 0, 1 << 30);
    Atomics.notify(this.#cells, 0);
  }

  get stopped(): boolean {
    return Atomics.load(this.#cells, 1) !== 0;
  }
}

/** What a task carries of it to another thread. */
export interface SharedSlots {
  readonly cells: SharedArrayBuffer;
  readonly memory: SharedArrayBuffer;
  readonly slotBytes: number;
}
