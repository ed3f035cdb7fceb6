import type { Bytes } from '../../base/bytes.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Entropy } from '../../ports/entropy.ts';

export interface LogSigner {
  readonly memberId: Bytes;
  /** ECDSA P-256, r‖s. */
  sign(message: Bytes): Bytes;
}

/** What the pool's membership says of an author. */
export interface LogAuthors {
  verify(author: Bytes, message: Bytes, signature: Bytes): 'valid' | 'invalid' | 'unknown';
}

export interface EpochKeys {
  /** The epoch that new records are sealed in. */
  readonly epoch: number;
  metadataKey(epoch: number): Bytes | undefined;
}

export interface LogStorePorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly signer: LogSigner;
  readonly authors: LogAuthors;
  readonly keys: EpochKeys;
}
