import { type Bytes, compareBytes, copyOf } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type { DiskErrorCode } from '../ports/disk.ts';
import {
  checkKey,
  type KeyRange,
  type KeyValueChange,
  type KeyValueEntry,
  type KeyValueStore,
  lowerBound,
} from '../ports/key-value-store.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

export interface MemoryKeyValueStoreOptions {
  /** Decides which writes that had not resolved a crash keeps; without it none. */
  readonly entropy?: SeededEntropy;
  /** How long a commit takes; without it no time at all. Commits that were begun first must end first. */
  readonly commit?: () => Promise<void>;
}

/** A store in memory that forgets, at a crash, what was not yet durable. Its contents outlive `close`. */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly #entropy: SeededEntropy | undefined;
  readonly #commit: () => Promise<void>;
  #now: KeyValueEntry[] = [];
  #durable: KeyValueEntry[] = [];
  #pending: (readonly KeyValueChange[])[] = [];
  #generation = 0;
  #failure: DiskErrorCode | undefined;
  #interceptor: () => void = () => {};

  constructor(options: MemoryKeyValueStoreOptions = {}) {
    this.#entropy = options.entropy;
    this.#commit = options.commit ?? (() => Promise.resolve());
  }

  /** Calls `listener` before each write; what it throws, the write throws. */
  intercept(listener: () => void): void {
    this.#interceptor = listener;
  }

  /** Until {@link crash}, every operation fails and nothing changes any more. */
  powerOff(): void {
    this.#failure = 'DISK_GONE';
  }

  /** Every write fails with `code` until it is called with undefined. */
  fail(code: DiskErrorCode | undefined): void {
    this.#failure = code;
  }

  /** Cuts the power and gives it back: writes that had not resolved are kept up to a random point. */
  crash(): void {
    this.#generation++;
    this.#failure = undefined;
    this.#interceptor = () => {};
    const kept = this.#entropy?.below(this.#pending.length + 1) ?? 0;
    for (const changes of this.#pending.slice(0, kept)) applyAll(this.#durable, changes);
    this.#pending = [];
    this.#now = [...this.#durable];
  }

  /** Forgets everything, as when the folder is deleted. */
  erase(): void {
    this.#now = [];
    this.#durable = [];
    this.#pending = [];
  }

  get(key: Bytes): Bytes | undefined {
    checkKey(key);
    const index = lowerBound(this.#now, key);
    const found = this.#now[index];
    return found !== undefined && compareBytes(found.key, key) === 0 ? copyOf(found.value) : undefined;
  }

  *range(options: KeyRange): Iterable<KeyValueEntry> {
    const end = lowerBound(this.#now, options.to);
    const entries = this.#now.slice(lowerBound(this.#now, options.from), end);
    for (const { key, value } of entries.slice(0, options.limit)) {
      yield { key: copyOf(key), value: copyOf(value) };
    }
  }

  async write(changes: readonly KeyValueChange[]): Promise<void> {
    if (this.#failure !== undefined) throw failure(this.#failure);
    this.#interceptor();
    if (this.#failure !== undefined) throw failure(this.#failure);
    const owned = changes.map(({ key, value }) => {
      checkKey(key);
      return { key: copyOf(key), value: value === undefined ? undefined : copyOf(value) };
    });
    applyAll(this.#now, owned);
    this.#pending.push(owned);
    const generation = this.#generation;
    await this.#commit();
    if (this.#failure !== undefined || generation !== this.#generation) throw failure('DISK_GONE');
    // Commits happen in order, so this one's is always the first that waits.
    this.#pending.shift();
    applyAll(this.#durable, owned);
  }

  async close(): Promise<void> {}
}

function applyAll(entries: KeyValueEntry[], changes: readonly KeyValueChange[]): void {
  for (const { key, value } of changes) {
    const index = lowerBound(entries, key);
    const found = entries[index];
    const present = found !== undefined && compareBytes(found.key, key) === 0;
    if (value !== undefined) entries.splice(index, present ? 1 : 0, { key, value });
    else if (present) entries.splice(index, 1);
  }
}

function failure(code: DiskErrorCode): AetherError<DiskErrorCode> {
  return new AetherError(code, `${code} at the key-value store`);
}
