import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { type Bytes, concat, fromHex, toHex, utf8, viewOf } from '../../base/bytes.ts';
import { describeError } from '../../base/errors.ts';
import { treeCacheNodesMax, treeCommitDelayMs, treeOverlayNodesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { KeyValueChange, KeyValueStore } from '../../ports/key-value-store.ts';
import { filesError } from '../files-error.ts';
import type { OpenedRecord } from '../log/log-store.ts';
import { foldName } from '../remote-path.ts';
import { foldOperation } from './fold.ts';
import { LruCache } from './lru-cache.ts';
import { openNode, sealNode, type TreeNode } from './node-value.ts';
import { TreeOverlay } from './tree-overlay.ts';

export interface TreeStoreOptions {
  /** Seals the tree's values; of the epoch in which the tree was made. */
  readonly metadataKey: Bytes;
  readonly nameKey: Bytes;
}

export interface TreeStorePorts {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Resolves when every record that was folded so far is durable in its log. */
  readonly recordsDurable: () => Promise<void>;
}

const emptyNode: TreeNode = {};
const nameHashBytes = 16;
const version = 1;

/**
 * What the operations of all logs fold to, kept in a key-value store that may be deleted at any time:
 *
 * - `n` + node id → the node, sealed
 * - `c` + parent id + hash of the folded name (16) + node id → nothing
 * - `p` + author → number of the first record that is not yet folded
 * - `v` → version
 *
 * Changes wait in memory and reach the store together with their position, only after the records they come from
 * are durable: after a crash the tree replays the logs from there.
 */
export class TreeStore {
  /** As key objects, which ciphers take four times faster than bytes (measured: 4 µs instead of 18). */
  readonly #metadataKey: KeyObject;
  readonly #nameKey: KeyObject;
  readonly #ports: TreeStorePorts;
  /** Being changed, and being written. */
  #overlay = new TreeOverlay();
  #writing: TreeOverlay | undefined;
  #flushing: Promise<void> | undefined;
  #timer: Timer | undefined;
  readonly #cache = new LruCache<string, TreeNode>(treeCacheNodesMax);
  readonly #listeners = new Set<(parent: string) => void>();

  private constructor(options: TreeStoreOptions, ports: TreeStorePorts) {
    this.#metadataKey = createSecretKey(options.metadataKey);
    this.#nameKey = createSecretKey(options.nameKey);
    this.#ports = ports;
  }

  /** Errors: `TREE_VERSION_UNKNOWN`, `DiskErrorCode`. */
  static async open(options: TreeStoreOptions, ports: TreeStorePorts): Promise<TreeStore> {
    const found = ports.store.get(versionKey);
    if (found === undefined) await ports.store.write([{ key: versionKey, value: new Uint8Array([version]) }]);
    else if (found[0] !== version) throw filesError('TREE_VERSION_UNKNOWN', 'a tree of a newer version');
    return new TreeStore(options, ports);
  }

  /** Number of `author`'s first record that is not in the tree. */
  position(author: Bytes): number {
    const name = toHex(author);
    const inMemory = this.#overlay.positions.get(name) ?? this.#writing?.positions.get(name);
    if (inMemory !== undefined) return inMemory;
    const stored = this.#ports.store.get(key('p', author));
    return stored === undefined ? 0 : Number(viewOf(stored).getBigUint64(0));
  }

  /** Folds one record in; one that is already in is skipped. An author's records come in order. */
  fold(record: OpenedRecord): void {
    const position = this.position(record.author);
    if (record.seq < position) return;
    assert(record.seq === position, `record ${record.seq} folds at position ${position}`);
    for (const operation of record.operations) {
      const before = this.node(operation.node) ?? emptyNode;
      const after = foldOperation(before, operation, record.author);
      if (after !== before) this.#set(operation.node, before, after);
    }
    this.#overlay.positions.set(toHex(record.author), position + 1);
    this.#timer ??= this.#ports.clock.after(treeCommitDelayMs, () => this.#flushLater());
    if (this.#overlay.nodes.size >= treeOverlayNodesMax) this.#flushLater();
  }

  /** Waits while more changes are in memory than should be. */
  async room(): Promise<void> {
    while (this.#overlay.nodes.size >= 2 * treeOverlayNodesMax) await this.flush();
  }

  node(id: Bytes): TreeNode | undefined {
    const name = toHex(id);
    const changed = this.#overlay.nodes.get(name) ?? this.#writing?.nodes.get(name);
    if (changed !== undefined) return changed.node;
    const cached = this.#cache.get(name);
    if (cached !== undefined) return cached;
    const sealed = this.#ports.store.get(key('n', id));
    if (sealed === undefined) return undefined;
    const node = openNode(id, sealed, this.#metadataKey);
    this.#cache.set(name, node);
    return node;
  }

  /** Ids of the nodes placed in `parent`; with `name`, only of those whose folded name is that one's. */
  children(parent: Bytes, name?: string): readonly Bytes[] {
    const hash = name === undefined ? undefined : this.#nameHash(name);
    const prefix = key('c', hash === undefined ? parent : concat([parent, hash]));
    const ids = new Map<string, Bytes>();
    for (const entry of this.#ports.store.range({ from: prefix, to: after(prefix) })) {
      const id = entry.key.slice(1 + parent.length + nameHashBytes);
      ids.set(toHex(id), id);
    }
    for (const overlay of [this.#writing, this.#overlay]) {
      const names = overlay?.children.get(toHex(parent));
      if (names === undefined) continue;
      const sets =
        hash === undefined ? names.values() : [names.get(toHex(hash)) ?? new Map<string, boolean>()];
      for (const set of sets) {
        for (const [id, present] of set) {
          if (present) ids.set(id, fromHex(id)!);
          else ids.delete(id);
        }
      }
    }
    return [...ids.values()];
  }

  /** Calls `listener` with the hexadecimal id of each directory one of whose children changes. */
  onChildren(listener: (parent: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Writes what is in memory to the store; rejects when the records behind it did not become durable. */
  async flush(): Promise<void> {
    if (this.#flushing !== undefined) await this.#flushing;
    if (this.#overlay.isEmpty && this.#writing === undefined) return;
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  /** Forgets all that is not in the store: the records behind it are not there. The logs are to be replayed. */
  async reset(): Promise<void> {
    const parents = [this.#overlay, this.#writing].flatMap((overlay) => [
      ...(overlay?.children.keys() ?? []),
    ]);
    this.#overlay = new TreeOverlay();
    this.#writing = undefined;
    this.#cache.clear();
    for (const parent of parents) this.#tell(parent);
    await this.#flushing?.catch(() => {});
    this.#cache.clear();
  }

  async close(): Promise<void> {
    await this.flush().catch((error) => this.#warn(error));
    this.#timer?.cancel();
    await this.#ports.store.close();
  }

  #set(id: Bytes, before: TreeNode, after: TreeNode): void {
    const name = toHex(id);
    this.#overlay.nodes.set(name, { id, node: after });
    this.#cache.delete(name);
    if (after.place !== before.place) {
      if (before.place !== undefined) this.#setChild(before.place, name, false);
      if (after.place !== undefined) this.#setChild(after.place, name, true);
    } else if (after.place !== undefined) this.#tell(toHex(after.place.parent));
  }

  #setChild(place: { readonly parent: Bytes; readonly name: string }, id: string, present: boolean): void {
    const parent = toHex(place.parent);
    this.#overlay.setChild(parent, toHex(this.#nameHash(place.name)), id, present);
    this.#tell(parent);
  }

  #flushLater(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.flush().catch((error) => this.#warn(error));
  }

  async #flush(): Promise<void> {
    // What an earlier flush could not write goes first.
    if (this.#writing !== undefined) await this.#write(this.#writing);
    const overlay = this.#overlay;
    this.#overlay = new TreeOverlay();
    this.#writing = overlay;
    await this.#write(overlay);
  }

  async #write(overlay: TreeOverlay): Promise<void> {
    await this.#ports.recordsDurable();
    await this.#ports.store.write(this.#changes(overlay));
    for (const [name, { node }] of overlay.nodes) this.#cache.set(name, node);
    this.#writing = undefined;
  }

  #changes(overlay: TreeOverlay): readonly KeyValueChange[] {
    const changes: KeyValueChange[] = [];
    const nonces = this.#ports.entropy.bytes(12 * overlay.nodes.size);
    let nonce = 0;
    for (const { id, node } of overlay.nodes.values()) {
      const value = sealNode(id, node, this.#metadataKey, nonces.subarray(nonce, nonce + 12));
      nonce += 12;
      changes.push({ key: key('n', id), value });
    }
    for (const [parent, names] of overlay.children) {
      for (const [hash, ids] of names) {
        for (const [id, present] of ids) {
          const value = present ? present1 : undefined;
          changes.push({ key: key('c', fromHex(parent + hash + id)!), value });
        }
      }
    }
    for (const [author, position] of overlay.positions) {
      const value = new Uint8Array(8);
      viewOf(value).setBigUint64(0, BigInt(position));
      changes.push({ key: key('p', fromHex(author)!), value });
    }
    return changes;
  }

  #nameHash(name: string): Bytes {
    const mac = createHmac('sha256', this.#nameKey).update(foldName(name), 'utf8').digest();
    return mac.subarray(0, nameHashBytes);
  }

  #tell(parent: string): void {
    for (const listener of this.#listeners) listener(parent);
  }

  #warn(error: unknown): void {
    this.#ports.log.warn('tree not written', { reason: describeError(error) });
  }
}

const versionKey = utf8('v');
const present1 = new Uint8Array([1]);

function key(kind: 'n' | 'c' | 'p', rest: Bytes): Bytes {
  const bytes = new Uint8Array(1 + rest.length);
  bytes[0] = kind.charCodeAt(0);
  bytes.set(rest, 1);
  return bytes;
}

/** The first key after all that begin with `prefix`. */
function after(prefix: Bytes): Bytes {
  const end = new Uint8Array(prefix);
  for (let index = end.length - 1; index >= 0; index--) {
    if (end[index]! < 255) {
      end[index] = end[index]! + 1;
      return end.subarray(0, index + 1);
    }
  }
  throw new RangeError('no key is after a prefix of all ones');
}
