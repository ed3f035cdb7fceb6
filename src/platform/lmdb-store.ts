import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import { assert } from '../base/assert.ts';
import { type Bytes, compareBytes, copyOf, equalBytes } from '../base/bytes.ts';
import type { AetherError } from '../base/errors.ts';
import type { DiskErrorCode } from '../ports/disk.ts';
import {
  checkKey,
  type KeyRange,
  type KeyValueChange,
  type KeyValueEntry,
  type KeyValueStore,
  lowerBound,
} from '../ports/key-value-store.ts';
import { diskError, makeDiskError } from './disk-errors.ts';
import { readAhead, removeDamagedStore } from './lmdb-file.ts';

/** A commit may want as many pages at once. */
const roomBytesMin = 256 * 1024;

interface Pending {
  readonly key: Bytes;
  readonly value: Bytes | undefined;
}

/**
 * A {@link KeyValueStore} in LMDB, with LMDB's crash-proof sync. `overlappingSync` is off: with it a commit resolves
 * before its meta page is flushed, and "durable when it resolves" would be a lie.
 */
export class LmdbStore implements KeyValueStore {
  readonly #path: string;
  readonly #database: RootDatabase<Bytes, Bytes>;
  /** Changes not committed yet, newest per key: LMDB shows reads only what is committed. */
  readonly #pending = new Map<string, Pending>();
  /** The same by key; made when a range is read, and good until the next change. */
  #sorted: readonly Pending[] | undefined;
  readonly #onClosed: () => void;
  #turnIsHeld = false;
  #closed = false;

  private constructor(path: string, database: RootDatabase<Bytes, Bytes>, onClosed: () => void) {
    this.#path = path;
    this.#database = database;
    this.#onClosed = onClosed;
  }

  /**
   * Opens the store in the folder `path`, making it when it is missing, and anew when its file is visibly damaged.
   * `onClosed` is called when it lets go of its files. Errors: `DiskErrorCode`.
   */
  static async open(path: string, onClosed: () => void = () => {}): Promise<LmdbStore> {
    try {
      await readAhead(path);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      removeDamagedStore(path);
      const database = open<Bytes, Bytes>({
        path,
        encoding: 'binary',
        keyEncoding: 'binary',
        noSubdir: false,
        overlappingSync: false,
        maxDbs: 1,
      });
      return new LmdbStore(path, database, onClosed);
    } catch (cause) {
      throw diskError(cause, path);
    }
  }

  get(key: Bytes): Bytes | undefined {
    checkKey(key);
    const pending = this.#pending.size === 0 ? undefined : this.#pending.get(nameOf(key));
    if (pending !== undefined) return pending.value === undefined ? undefined : copyOf(pending.value);
    try {
      const found = this.#database.getBinary(key);
      return found === undefined ? undefined : copyOf(found);
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  *range(options: KeyRange): Iterable<KeyValueEntry> {
    const pending = this.#pendingIn(options);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    let next = 0;
    const stored = this.#database.getRange({ start: options.from, end: options.to });
    for (const { key, value } of stored) {
      for (; left > 0 && next < pending.length && compareBytes(pending[next]!.key, key) < 0; next++) {
        const added = pending[next]!;
        if (added.value === undefined) continue;
        left--;
        yield { key: copyOf(added.key), value: copyOf(added.value) };
      }
      if (left <= 0) return;
      const replaced =
        next < pending.length && equalBytes(pending[next]!.key, key) ? pending[next++] : undefined;
      const current = replaced === undefined ? value : replaced.value;
      if (current === undefined) continue;
      left--;
      yield { key: copyOf(key), value: copyOf(current) };
      if (left <= 0) return;
    }
    for (; left > 0 && next < pending.length; next++) {
      const added = pending[next]!;
      if (added.value === undefined) continue;
      left--;
      yield { key: copyOf(added.key), value: copyOf(added.value) };
    }
  }

  async write(changes: readonly KeyValueChange[]): Promise<void> {
    assert(!this.#closed, 'the store is closed');
    if (changes.length === 0) return;
    const owned = changes.map(({ key, value }): Pending => {
      checkKey(key);
      return { key: copyOf(key), value: value === undefined ? undefined : copyOf(value) };
    });
    for (const change of owned) this.#pending.set(nameOf(change.key), change);
    this.#sorted = undefined;
    try {
      const operations: Promise<boolean>[] = [];
      operations.push(
        this.#database.batch(() => {
          for (const { key, value } of owned) {
            const operation =
              value === undefined ? this.#database.remove(key) : this.#database.put(key, value);
            operations.push(operation);
          }
        }),
      );
      this.#holdTurn();
      await Promise.all(operations);
    } catch (cause) {
      throw await this.#refusal(await commitErrorOf(cause));
    } finally {
      for (const change of owned) {
        const name = nameOf(change.key);
        if (this.#pending.get(name) === change) this.#pending.delete(name);
      }
      this.#sorted = undefined;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#database.close();
    } catch (cause) {
      throw diskError(cause, this.#path);
    } finally {
      this.#onClosed();
    }
  }

  /**
   * All writes of one turn of the event loop are one commit, of which LMDB keeps a promise of its own: rejected, it would
   * end the program, though whoever wrote was told.
   */
  #holdTurn(): void {
    if (this.#turnIsHeld) return;
    this.#turnIsHeld = true;
    // After LMDB's own, which was queued by the first write of the turn.
    setImmediate(() => {
      this.#turnIsHeld = false;
      this.#database.committed.then(undefined, () => {});
    });
  }

  /** LMDB says EIO of a write that came short, as on a disk that is full ("short write, filesystem full?", mdb.c). */
  async #refusal(cause: unknown): Promise<AetherError<DiskErrorCode>> {
    const error = diskError(cause, this.#path);
    if (error.code !== 'DISK_IO') return error;
    const { bavail, bsize } = await statfs(this.#path).catch(() => ({ bavail: 1, bsize: roomBytesMin }));
    return bavail * bsize < roomBytesMin ? makeDiskError('DISK_FULL', this.#path, cause) : error;
  }

  #pendingIn({ from, to }: KeyRange): readonly Pending[] {
    if (this.#pending.size === 0) return [];
    this.#sorted ??= [...this.#pending.values()].sort((a, b) => compareBytes(a.key, b.key));
    return this.#sorted.slice(lowerBound(this.#sorted, from), lowerBound(this.#sorted, to));
  }
}

/**
 * Why LMDB could not commit: the error of a write has it as a promise of its own, which is rejected a moment later, and
 * would end the program if nobody waited for it.
 */
async function commitErrorOf(cause: unknown): Promise<unknown> {
  const { commitError } = cause as { readonly commitError?: Promise<never> };
  return commitError === undefined ? cause : commitError.catch((reason: unknown) => reason);
}

function nameOf(key: Bytes): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
