import type { Bytes } from '../base/bytes.ts';

/** Work on many bytes that must not hold up the event loop. */
export interface Compute {
  /** SHA-256 of `bytes`, which must not change until it resolves. 32 bytes. */
  sha256(bytes: Bytes): Promise<Bytes>;
}
