import { closeSync, readSync, writeSync } from 'node:fs';
import { viewOf } from '../../base/bytes.ts';
import { errorName, errorNumber, libc } from './libc.ts';

const readable = 1;
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
/** `struct pollfd`: descriptor, what is waited for, what has happened. */
const entryBytes = 8;
const one = new Uint8Array(new BigUint64Array([1n]).buffer);

/**
 * Tells when descriptors that libuv does not know can be read. All of them are waited for in one thread of libuv's
 * pool, which poll(2) occupies; the launcher gives the pool threads enough. An eventfd ends each wait: when
 * the set changes, at the end, and when the process exits, which would otherwise wait for that thread.
 */
export class DescriptorEvents {
  readonly #wake: number;
  readonly #handlers = new Map<number, () => void>();
  /** Called when no wait is under way that may still know a descriptor. */
  #betweenWaits: (() => void)[] = [];
  #isWaiting = false;
  readonly #onExit = () => void this.#interrupt();

  constructor() {
    this.#wake = libc().eventfd(0, nonBlocking | closeOnExec);
    if (this.#wake < 0) throw new Error(`eventfd: ${errorName(errorNumber())}`);
    process.on('exit', this.#onExit);
  }

  /** Calls `onReadable` as long as there is something to read; it need not read all at once. */
  watch(descriptor: number, onReadable: () => void): void {
    this.#handlers.set(descriptor, onReadable);
    if (this.#isWaiting) this.#interrupt();
    else this.#wait();
  }

  /** Resolves when the descriptor may be closed: nobody waits for it any more. */
  unwatch(descriptor: number): Promise<void> {
    this.#handlers.delete(descriptor);
    return new Promise((resolve) => {
      if (!this.#isWaiting) return resolve();
      this.#betweenWaits.push(resolve);
      this.#interrupt();
    });
  }

  /** Ends everything; the descriptors are their owners' to close. */
  async close(): Promise<void> {
    for (const descriptor of [...this.#handlers.keys()]) await this.unwatch(descriptor);
    process.off('exit', this.#onExit);
    closeSync(this.#wake);
  }

  #interrupt(): void {
    writeSync(this.#wake, one);
  }

  #wait(): void {
    if (this.#handlers.size === 0) return;
    const descriptors = [this.#wake, ...this.#handlers.keys()];
    const entries = new Uint8Array(descriptors.length * entryBytes);
    const view = viewOf(entries);
    for (const [index, descriptor] of descriptors.entries()) {
      view.setInt32(index * entryBytes, descriptor, true);
      view.setInt16(index * entryBytes + 4, readable, true);
    }
    this.#isWaiting = true;
    libc().poll(entries, descriptors.length, -1, () => {
      this.#isWaiting = false;
      const happened = (index: number) => view.getInt16(index * entryBytes + 6, true) !== 0;
      for (const resolve of this.#betweenWaits.splice(0)) resolve();
      for (const [index, descriptor] of descriptors.entries()) {
        if (!happened(index)) continue;
        if (descriptor === this.#wake) readNow(this.#wake, new Uint8Array(8));
        else this.#handlers.get(descriptor)?.();
      }
      if (!this.#isWaiting) this.#wait();
    });
  }
}

/**
 * Reads what is there of a descriptor that does not block: the bytes read, 0 when there is nothing, or the error's
 * name.
 */
export function readNow(descriptor: number, into: Uint8Array): number | string {
  try {
    return readSync(descriptor, into);
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    return code === 'EAGAIN' || code === 'EINTR' ? 0 : code;
  }
}
