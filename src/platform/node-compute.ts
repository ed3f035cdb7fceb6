import { subtle } from 'node:crypto';
import { hashesInFlightMax } from '../base/limits.ts';
import { Semaphore } from '../base/semaphore.ts';
import type { Compute } from '../ports/compute.ts';

const hashes = new Semaphore(hashesInFlightMax);

/** Hashing on libuv's thread pool. */
export const nodeCompute: Compute = {
  sha256: async (bytes) => {
    await hashes.acquire(1);
    try {
      return new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
    } finally {
      hashes.release(1);
    }
  },
};
