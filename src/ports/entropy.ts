import { type Bytes, viewOf } from '../base/bytes.ts';

/** Randomness as a box needs it: of cryptographic strength in `platform/`, seeded in `testing/`. */
export interface Entropy {
  /** `count` fresh bytes that the caller owns. */
  bytes(count: number): Bytes;
}

/** A number drawn uniformly from [0, 1), with 32 bits of resolution. */
export function uniform(entropy: Entropy): number {
  return viewOf(entropy.bytes(4)).getUint32(0) / 2 ** 32;
}
