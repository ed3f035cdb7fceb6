import type { Bytes } from '../base/bytes.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

/** Disks write whole sectors of this size or not at all. */
const sectorBytes = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Bytes }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

/** The contents of one file of a `MemoryDisk`: as seen now, as last synced, and the changes between the two. */
export class MemoryFile {
  #now = new GrowingBytes();
  #synced = new GrowingBytes();
  #changes: Change[] = [];

  get sizeBytes(): number {
    return this.#now.size;
  }

  bytes(): Bytes {
    return this.#now.bytes();
  }

  /** Takes `bytes` over: they must not change afterwards. */
  write(bytes: Bytes, position: number): void {
    this.#now.write(bytes, position);
    this.#changes.push({ kind: 'write', position, bytes });
  }

  truncate(sizeBytes: number): void {
    this.#now.resize(sizeBytes);
    this.#changes.push({ kind: 'truncate', sizeBytes });
  }

  /** How many changes a sync that begins now covers: a write that comes during a sync is not part of it. */
  markSync(): number {
    return this.#changes.length;
  }

  endSync(covered: number): void {
    for (const change of this.#changes.splice(0, covered)) this.#apply(change);
  }

  /** Un-synced changes reach the disk not at all, all, up to some point, or each sector by itself. */
  crash(entropy: SeededEntropy): void {
    const mode = entropy.below(4);
    const changes = this.#changes;
    this.#changes = [];
    const upTo = mode === 0 ? 0 : mode === 2 ? entropy.below(changes.length + 1) : changes.length;
    for (const change of changes.slice(0, upTo)) {
      if (mode === 1) this.#apply(change);
      else this.#tear(change, entropy, mode === 2 ? 0.9 : 0.5);
    }
    this.#now = this.#synced.copy();
  }

  flip(offset: number, bit: number): void {
    for (const state of [this.#now, this.#synced]) {
      const bytes = state.bytes();
      if (offset < bytes.length) bytes[offset] = bytes[offset]! ^ (1 << bit);
    }
  }

  #apply(change: Change): void {
    if (change.kind === 'write') this.#synced.write(change.bytes, change.position);
    else this.#synced.resize(change.sizeBytes);
  }

  #tear(change: Change, entropy: SeededEntropy, kept: number): void {
    if (change.kind === 'truncate') {
      if (entropy.chance(kept)) this.#apply(change);
      return;
    }
    const end = change.position + change.bytes.length;
    for (let from = change.position; from < end; ) {
      const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
      if (entropy.chance(kept)) {
        this.#synced.write(change.bytes.subarray(from - change.position, to - change.position), from);
      }
      from = to;
    }
  }
}

class GrowingBytes {
  #memory: Bytes = new Uint8Array(0);
  size = 0;

  bytes(): Bytes {
    return this.#memory.subarray(0, this.size);
  }

  write(bytes: Bytes, position: number): void {
    if (position + bytes.length > this.size) this.resize(position + bytes.length);
    this.#memory.set(bytes, position);
  }

  resize(size: number): void {
    if (size > this.#memory.length) {
      const grown = new Uint8Array(Math.max(size, this.#memory.length * 2));
      grown.set(this.bytes());
      this.#memory = grown;
    }
    if (size < this.size) this.#memory.fill(0, size, this.size);
    this.size = size;
  }

  copy(): GrowingBytes {
    const copy = new GrowingBytes();
    copy.write(this.bytes(), 0);
    return copy;
  }
}
