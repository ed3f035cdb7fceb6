import { assert } from './assert.ts';

interface Waiter {
  readonly units: number;
  readonly go: () => void;
}

/** Bounds how much (bytes, or jobs) is on its way at once; whoever comes first goes first. */
export class Semaphore {
  readonly #unitsMax: number;
  #freeUnits: number;
  readonly #waiters: Waiter[] = [];

  constructor(unitsMax: number) {
    this.#unitsMax = unitsMax;
    this.#freeUnits = unitsMax;
  }

  /** Resolves when `units` (at most the maximum) are taken; give them back with `release`. */
  acquire(units: number): Promise<void> {
    assert(units <= this.#unitsMax, 'one holder fits');
    if (this.#waiters.length === 0 && units <= this.#freeUnits) {
      this.#freeUnits -= units;
      return Promise.resolve();
    }
    return new Promise((go) => this.#waiters.push({ units, go }));
  }

  release(units: number): void {
    this.#freeUnits += units;
    for (let first = this.#waiters[0]; first && first.units <= this.#freeUnits; first = this.#waiters[0]) {
      this.#waiters.shift();
      this.#freeUnits -= first.units;
      first.go();
    }
  }
}
