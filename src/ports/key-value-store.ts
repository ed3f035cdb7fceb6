import { assert } from '../base/assert.ts';
import { type Bytes, compareBytes } from '../base/bytes.ts';

/**
 * An ordered map from keys (1–511 bytes) to values, kept on a disk. Reads see every write that was issued before
 * them, durable or not; except behind a gate (`openGatedStore` of `store/`), where they see a write from its turn on.
 * Errors are `AetherError<DiskErrorCode>`.
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

/** Every store refuses other keys: a key has 1 to 511 bytes. */
export function checkKey(key: Bytes): void {
  assert(key.length >= 1 && key.length <= 511, 'a key has 1 to 511 bytes');
}

/** Index of the first of sorted entries whose key is not before `key`. */
export function lowerBound(entries: readonly { readonly key: Bytes }[], key: Bytes): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(entries[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
