import { randomBytes } from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';
import type { Entropy } from '../ports/entropy.ts';

/** The kernel's random number generator. */
export const nodeEntropy: Entropy = {
  bytes: (count): Bytes => new Uint8Array(randomBytes(count)),
};
