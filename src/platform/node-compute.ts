import { hash, subtle } from 'node:crypto';
import { chunkBytesMax, hashedBytesPerTurnMax, hashesInFlightMax } from '../base/limits.ts';
import { Semaphore } from '../base/semaphore.ts';
import type { Compute } from '../ports/compute.ts';

const hashes = new Semaphore(hashesInFlightMax);

/**
 * Up to this many bytes, a chunk of the default size, are hashed on the spot: that takes 50 µs for 64 KiB, and handing
 * them to another thread costs the event loop more than it saves: a copy into fresh memory, its page faults, and the
 * hand-over (measured in a put of 1 GB: 3.2 s of a box's loop against 0.6 s).
 */
const inlineBytesMax = chunkBytesMax + 1024;

/** Hashing on the spot in small portions, so that the loop never waits long; what is larger on libuv's thread pool. */
export const nodeCompute: Compute = {
  sha256: async (bytes) => {
    if (bytes.length <= inlineBytesMax) {
      while (!turn.admits(bytes.length)) await turn.next();
      return new Uint8Array(hash('sha256', bytes, 'buffer'));
    }
    await hashes.acquire(1);
    try {
      return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
    } finally {
      hashes.release(1);
    }
  },
};

/**
 * How much was hashed in this turn of the event loop. Many chunks that arrive together are hashed over several turns,
 * and the first of them are on their way to the disk while the others still wait.
 */
const turn = {
  bytes: 0,
  ended: undefined as Promise<void> | undefined,

  admits(bytes: number): boolean {
    if (this.bytes > 0 && this.bytes + bytes > hashedBytesPerTurnMax) return false;
    this.bytes += bytes;
    void this.next();
    return true;
  },

  next(): Promise<void> {
    this.ended ??= new Promise((resolve) => {
      setImmediate(() => {
        this.bytes = 0;
        this.ended = undefined;
        resolve();
      });
    });
    return this.ended;
  },
};
