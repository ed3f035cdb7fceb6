import { assert } from '../base/assert.ts';

interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

/** Bounds how many bytes are on their way at once; whoever comes first goes first. */
export class ByteSemaphore {
  #freeBytes: number;
  readonly #bytesMax: number;
  readonly #waiters: Waiter[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#freeBytes = bytesMax;
  }

  /** Resolves when `bytes` (at most the maximum) are taken; give them back with `release`. */
  acquire(bytes: number): Promise<void> {
    assert(bytes <= this.#bytesMax, 'one holder fits');
    if (this.#waiters.length === 0 && bytes <= this.#freeBytes) {
      this.#freeBytes -= bytes;
      return Promise.resolve();
    }
    return new Promise((go) => this.#waiters.push({ bytes, go }));
  }

  release(bytes: number): void {
    this.#freeBytes += bytes;
    for (let first = this.#waiters[0]; first && first.bytes <= this.#freeBytes; first = this.#waiters[0]) {
      this.#waiters.shift();
      this.#freeBytes -= first.bytes;
      first.go();
    }
  }
}
