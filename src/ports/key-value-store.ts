import type { Bytes } from '../base/bytes.ts';

/**
 * An ordered map from keys (1–511 bytes) to values, kept on a disk. Reads see every write that was issued before
 * them, durable or not. Errors are `AetherError<DiskErrorCode>`.
 */
export interface KeyValueStore {
  /** The value, valid for as long as the caller likes, or undefined. */
  get(key: Bytes): Bytes | undefined;
  /** Entries with `from` ≤ key < `to`, in byte order. */
  range(options: KeyRange): Iterable<KeyValueEntry>;
  /** Applies all changes or none. When it resolves they are durable (also after a power cut). */
  write(changes: readonly KeyValueChange[]): Promise<void>;
  close(): Promise<void>;
}

export interface KeyRange {
  readonly from: Bytes;
  readonly to: Bytes;
  readonly limit?: number;
}

export interface KeyValueEntry {
  readonly key: Bytes;
  readonly value: Bytes;
}

/** `value` undefined removes the key. */
export interface KeyValueChange {
  readonly key: Bytes;
  readonly value: Bytes | undefined;
}
