import { subtle } from 'node:crypto';
import type { Compute } from '../ports/compute.ts';

/** Hashing on libuv's thread pool. */
export const nodeCompute: Compute = {
  sha256: async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)),
};
