import { hash } from 'node:crypto';
import type { Compute } from '../ports/compute.ts';

/** Hashes on the spot, so that a simulated run is the same every time. */
export const fakeCompute: Compute = {
  sha256: async (bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')),
};
