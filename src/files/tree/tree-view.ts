import { type Bytes, toHex } from '../../base/bytes.ts';
import { treeListingEntriesMax, treeListingsMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';
import { rootNode } from '../node-id.ts';
import { formatRemotePath, type RemotePath } from '../remote-path.ts';
import { LruCache } from './lru-cache.ts';
import type { Placed, Versioned } from './node-value.ts';
import { mayBeSuffixed, shownNames, suffixOf } from './shown-names.ts';
import type { TreeStore } from './tree-store.ts';

/** A node that people can see: it has a place and a version. */
export interface VisibleNode {
  readonly id: Bytes;
  readonly place: Placed;
  readonly version: Versioned;
}

const beginning = { clock: { ms: 0, counter: 0 }, author: new Uint8Array(32) };

/** The root is there before anybody made it. */
const root: VisibleNode = {
  id: rootNode,
  place: { stamp: beginning, parent: rootNode, name: '' },
  version: { stamp: beginning, kind: 'directory', mode: 0o755, mtimeMs: 0, size: 0 },
};

/** The tree by paths and shown names. */
export class TreeView {
  readonly #store: TreeStore;
  readonly #listings = new LruCache<string, readonly [string, Bytes][]>(treeListingsMax);

  constructor(store: TreeStore) {
    this.#store = store;
    store.onChildren((parent) => this.#listings.delete(parent));
  }

  /** The node at `path`. Errors: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY` (of a name on the way). */
  resolve(path: RemotePath): VisibleNode {
    let node = root;
    path.forEach((name, depth) => {
      if (node.version.kind !== 'directory') throw notADirectory(depth);
      const child = this.child(node.id, name) ?? this.#childByForm(node.id, name);
      if (child === undefined) {
        throw filesError('PATH_NOT_FOUND', `nothing is at ${formatRemotePath(path.slice(0, depth + 1))}`, {
          fields: { component: depth },
        });
      }
      node = child;
    });
    return node;
  }

  /** Whether anything was ever known of a node, removed ones too. */
  isKnown(id: Bytes): boolean {
    return this.#store.node(id) !== undefined;
  }

  /** The child shown as `name`, character by character. */
  child(parent: Bytes, name: string): VisibleNode | undefined {
    let newest: VisibleNode | undefined;
    for (const node of this.#visible(parent, this.#store.children(parent, name))) {
      if (node.place.name !== name) continue;
      if (newest === undefined || shownNames([newest, node]).get(name) === node) newest = node;
    }
    if (newest !== undefined || !mayBeSuffixed(name)) return newest;
    const ids = this.#store.children(parent);
    if (!ids.some((id) => name.includes(suffixOf(id)))) return undefined;
    return shownNames(this.#visible(parent, ids)).get(name);
  }

  /** Shown names and ids of the children of `directory`, sorted by name. */
  list(directory: Bytes): readonly [string, Bytes][] {
    const key = toHex(directory);
    const known = this.#listings.get(key);
    if (known !== undefined) return known;
    const shown = shownNames(this.#visible(directory, this.#store.children(directory)));
    const sorted = [...shown].map(([name, { id }]): [string, Bytes] => [name, id]);
    sorted.sort(([a], [b]) => (a < b ? -1 : 1));
    if (sorted.length <= treeListingEntriesMax) this.#listings.set(key, sorted);
    return sorted;
  }

  /** The node with this id, when it can be seen. */
  visible(id: Bytes): VisibleNode | undefined {
    const node = this.#store.node(id);
    if (node?.place === undefined || node.version === undefined) return undefined;
    return { id, place: node.place, version: node.version };
  }

  /** The only child whose name is `name` in another Unicode form (macOS writes é as two characters). */
  #childByForm(parent: Bytes, name: string): VisibleNode | undefined {
    const wanted = name.normalize('NFC');
    const found = [...this.#visible(parent, this.#store.children(parent, name))].filter(
      (node) => node.place.name.normalize('NFC') === wanted,
    );
    return found.length === 1 ? found[0] : undefined;
  }

  *#visible(parent: Bytes, ids: readonly Bytes[]): Generator<VisibleNode> {
    for (const id of ids) {
      const node = this.visible(id);
      if (node !== undefined && toHex(node.place.parent) === toHex(parent)) yield node;
    }
  }
}

export function notADirectory(component: number) {
  return filesError('NOT_A_DIRECTORY', `component ${component} of the path is not a directory`, {
    fields: { component },
  });
}
