import { hash, subtle } from 'node:crypto';
import { hashesInFlightMax } from '../base/limits.ts';
import { Semaphore } from '../base/semaphore.ts';
import type { Compute } from '../ports/compute.ts';

const hashes = new Semaphore(hashesInFlightMax);

/**
 * Up to this many bytes are hashed on the spot: that takes 40 µs, and handing them to another thread costs the event
 * loop more (measured: 24 µs a call on a quiet machine, several times that on a busy one, and a copy).
 */
const inlineBytesMax = 64 * 1024;

/** Hashing on libuv's thread pool. */
export const nodeCompute: Compute = {
  sha256: async (bytes) => {
    if (bytes.length <= inlineBytesMax) return new Uint8Array(hash('sha256', bytes, 'buffer'));
    await hashes.acquire(1);
    try {
      return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
    } finally {
      hashes.release(1);
    }
  },
};
