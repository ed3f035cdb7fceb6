import { assert } from '../base/assert.ts';
import { type Bytes, concat, viewOf } from '../base/bytes.ts';
import { indexEraseEntries } from '../base/limits.ts';
import type { KeyValueChange, KeyValueStore } from '../ports/key-value-store.ts';

/** Where a chunk's record stands. */
export interface Location {
  readonly segment: number;
  readonly offset: number;
  readonly bodyBytes: number;
}

/** Up to which point of the log every record is in the index, and what the log holds up to there. */
export interface IndexPosition {
  readonly segment: number;
  readonly offset: number;
  readonly chunkCount: number;
  /** Bytes of segments up to here. */
  readonly usedBytes: number;
}

/** Kinds of keys, docs/formats.md §5. */
const keys = { chunk: 0x63 /* c */, position: 0x70 /* p */, quarantine: 0x71 /* q */ } as const;
const keyIdBytes = 33;
const locationBytes = 12;
const positionBytes = 40;

/** What is known and not yet committed of one chunk; `damaged` is out of the index but remembered. */
type Change =
  | { readonly kind: 'present'; readonly location: Location }
  | { readonly kind: 'damaged'; readonly location: Location }
  | { readonly kind: 'removed' };

/**
 * Chunk id → location: the key-value store, and in front of it what came since its last commit. Derived from the
 * segments; only `commit` writes, and always entries together with the position that they reach.
 */
export class ChunkIndex {
  readonly #store: KeyValueStore;
  readonly #volume: Bytes;
  #fresh = new Map<string, Change>();
  /** What a commit is about to write: a store that waits for its disk does not show it before. */
  #committing: ReadonlyMap<string, Change> | undefined;
  /** Damaged stretches without a known id, by segment and offset, not committed yet. */
  #freshGaps: Bytes[] = [];
  #chunkCount = 0;
  #corruptCount: number;
  /** Reused for look-ups, which are synchronous. */
  readonly #scratch = new Uint8Array(keyIdBytes);

  private constructor(store: KeyValueStore, volume: Bytes) {
    this.#store = store;
    this.#volume = volume;
    this.#corruptCount = 0;
    for (const _ of store.range(rangeOf(keys.quarantine))) this.#corruptCount++;
  }

  /** The index and the position it has reached: undefined when it is new, or another volume's and so erased. */
  static async open(
    store: KeyValueStore,
    volume: Bytes,
  ): Promise<{ index: ChunkIndex; position: IndexPosition | undefined }> {
    const position = decodePosition(store.get(new Uint8Array([keys.position])), volume);
    if (position === undefined) await eraseAll(store);
    const index = new ChunkIndex(store, volume);
    index.#chunkCount = position?.chunkCount ?? 0;
    return { index, position };
  }

  get chunkCount(): number {
    return this.#chunkCount;
  }

  /** Damaged records, and damaged stretches, that no later record of the same chunk has healed. */
  get corruptCount(): number {
    return this.#corruptCount;
  }

  /** Entries that wait for a commit. */
  get freshCount(): number {
    return this.#fresh.size + this.#freshGaps.length;
  }

  get(id: Bytes): Location | undefined {
    const change = this.#changeOf(id);
    if (change !== undefined) return change.kind === 'present' ? change.location : undefined;
    const value = this.#lookUp(keys.chunk, id);
    return value === undefined ? undefined : decodeLocation(value);
  }

  /** The chunk's newest good record is at `location`. */
  add(id: Bytes, location: Location): void {
    if (this.get(id) === undefined) this.#chunkCount++;
    if (this.#corruptCount > 0 && this.#isDamaged(id)) this.#corruptCount--;
    this.#fresh.set(nameOf(id), { kind: 'present', location });
  }

  /** The chunk was deleted. */
  remove(id: Bytes): void {
    if (this.get(id) !== undefined) this.#chunkCount--;
    if (this.#corruptCount > 0 && this.#isDamaged(id)) this.#corruptCount--;
    this.#fresh.set(nameOf(id), { kind: 'removed' });
  }

  /** The record at `location` is damaged: unless the chunk has another one, it is out of the index. */
  quarantine(id: Bytes, location: Location): void {
    const current = this.get(id);
    if (
      current !== undefined &&
      (current.segment !== location.segment || current.offset !== location.offset)
    ) {
      return;
    }
    if (current !== undefined) this.#chunkCount--;
    if (!this.#isDamaged(id)) this.#corruptCount++;
    this.#fresh.set(nameOf(id), { kind: 'damaged', location });
  }

  /** Bytes at that place are no record; which chunk stood there is not known. */
  addGap(segment: number, offset: number): void {
    const key = new Uint8Array(9);
    key[0] = keys.quarantine;
    viewOf(key).setUint32(1, segment);
    viewOf(key).setUint32(5, offset);
    if (this.#store.get(key) !== undefined) return;
    this.#corruptCount++;
    this.#freshGaps.push(key);
  }

  /**
   * Makes everything added so far durable, with the position it reaches. One at a time, because a later one must
   * not be durable without an earlier one. When it fails the entries are kept for the next. Errors: `DiskErrorCode`.
   */
  async commit(segment: number, offset: number, usedBytes: number): Promise<void> {
    assert(this.#committing === undefined, 'the index commits once at a time');
    const position: IndexPosition = { segment, offset, chunkCount: this.#chunkCount, usedBytes };
    const fresh = this.#fresh;
    const gaps = this.#freshGaps;
    this.#fresh = new Map();
    this.#committing = fresh;
    this.#freshGaps = [];
    const changes: KeyValueChange[] = [];
    for (const [name, change] of fresh) pushChange(changes, name, change);
    for (const key of gaps) changes.push({ key, value: new Uint8Array(0) });
    changes.push({ key: new Uint8Array([keys.position]), value: encodePosition(position, this.#volume) });
    try {
      await this.#store.write(changes);
    } catch (error) {
      this.#fresh = new Map([...fresh, ...this.#fresh]);
      this.#freshGaps = [...gaps, ...this.#freshGaps];
      throw error;
    } finally {
      this.#committing = undefined;
    }
  }

  /** Ids of all chunks that are here, each once, in pages of `pageSize` at most; some may be gone by their page. */
  *idPages(pageSize: number): Generator<readonly Bytes[]> {
    // Taken down first: they may be committed while pages are read.
    const uncommitted = this.#uncommittedNames();
    let after: Bytes | undefined;
    for (;;) {
      const page = this.#committedIds(after, pageSize);
      if (page.length === 0) break;
      yield page.filter((id) => !uncommitted.has(nameOf(id)));
      after = page.at(-1);
    }
    const names = [...uncommitted];
    for (let from = 0; from < names.length; from += pageSize) {
      yield names.slice(from, from + pageSize).map((name) => new Uint8Array(Buffer.from(name, 'latin1')));
    }
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #uncommittedNames(): ReadonlySet<string> {
    const names = new Set<string>();
    for (const changes of [this.#committing ?? [], this.#fresh]) {
      for (const [name, { kind }] of changes) if (kind === 'present') names.add(name);
    }
    return names;
  }

  /** In their order, after `after`; `limit` at most. */
  #committedIds(after: Bytes | undefined, limit: number): readonly Bytes[] {
    const { from, to } = rangeOf(keys.chunk);
    // The first key after that of `after`.
    const start = after === undefined ? from : concat([from, after, new Uint8Array(1)]);
    const ids: Bytes[] = [];
    for (const { key } of this.#store.range({ from: start, to, limit })) ids.push(key.slice(1));
    return ids;
  }

  #isDamaged(id: Bytes): boolean {
    const change = this.#changeOf(id);
    if (change !== undefined) return change.kind === 'damaged';
    return this.#lookUp(keys.quarantine, id) !== undefined;
  }

  #changeOf(id: Bytes): Change | undefined {
    const name = nameOf(id);
    return this.#fresh.get(name) ?? this.#committing?.get(name);
  }

  #lookUp(kind: number, id: Bytes): Bytes | undefined {
    this.#scratch[0] = kind;
    this.#scratch.set(id, 1);
    return this.#store.get(this.#scratch);
  }
}

/** A chunk id as the key of a map. */
export function nameOf(id: Bytes): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

function pushChange(changes: KeyValueChange[], name: string, change: Change): void {
  const location = change.kind === 'removed' ? undefined : encodeLocation(change.location);
  const chunk = keyOf(keys.chunk, name);
  const quarantine = keyOf(keys.quarantine, name);
  changes.push({ key: chunk, value: change.kind === 'present' ? location : undefined });
  changes.push({ key: quarantine, value: change.kind === 'damaged' ? location : undefined });
}

function keyOf(kind: number, name: string): Bytes {
  const key = Buffer.allocUnsafe(keyIdBytes);
  key[0] = kind;
  key.write(name, 1, 'latin1');
  return key;
}

function encodeLocation({ segment, offset, bodyBytes }: Location): Bytes {
  const bytes = new Uint8Array(locationBytes);
  const view = viewOf(bytes);
  view.setUint32(0, segment);
  view.setUint32(4, offset);
  view.setUint32(8, bodyBytes);
  return bytes;
}

function decodeLocation(bytes: Bytes): Location {
  const view = viewOf(bytes);
  return { segment: view.getUint32(0), offset: view.getUint32(4), bodyBytes: view.getUint32(8) };
}

function encodePosition({ segment, offset, chunkCount, usedBytes }: IndexPosition, volume: Bytes): Bytes {
  const bytes = new Uint8Array(positionBytes);
  const view = viewOf(bytes);
  view.setUint32(0, segment);
  view.setUint32(4, offset);
  view.setBigUint64(8, BigInt(chunkCount));
  view.setBigUint64(16, BigInt(usedBytes));
  bytes.set(volume, 24);
  return bytes;
}

function decodePosition(bytes: Bytes | undefined, volume: Bytes): IndexPosition | undefined {
  if (bytes?.length !== positionBytes) return undefined;
  if (nameOf(bytes.subarray(24)) !== nameOf(volume)) return undefined;
  const view = viewOf(bytes);
  return {
    segment: view.getUint32(0),
    offset: view.getUint32(4),
    chunkCount: Number(view.getBigUint64(8)),
    usedBytes: Number(view.getBigUint64(16)),
  };
}

function rangeOf(kind: number): { from: Bytes; to: Bytes } {
  return { from: new Uint8Array([kind]), to: new Uint8Array([kind + 1]) };
}

/** Removes every entry of the index, a bounded number at a time. */
export async function eraseAll(store: KeyValueStore): Promise<void> {
  for (const kind of [keys.position, keys.chunk, keys.quarantine]) {
    for (;;) {
      const entries = [...store.range({ ...rangeOf(kind), limit: indexEraseEntries })];
      if (entries.length === 0) break;
      await store.write(entries.map(({ key }) => ({ key, value: undefined })));
    }
  }
}
