import type { Bytes } from '../../base/bytes.ts';
import type { TreeNode } from './node-value.ts';

/** A child's entry under its parent, by hexadecimal keys: the fold of its name, then its node id. */
type ChildrenByName = Map<string, Map<string, boolean>>;

/** Changes of the tree that are not yet on disk. `false` for a child says that it is there no more. */
export class TreeOverlay {
  readonly nodes = new Map<string, { readonly id: Bytes; readonly node: TreeNode }>();
  readonly children = new Map<string, ChildrenByName>();
  readonly positions = new Map<string, number>();

  setChild(parent: string, nameHash: string, id: string, present: boolean): void {
    let names = this.children.get(parent);
    if (names === undefined) {
      names = new Map();
      this.children.set(parent, names);
    }
    let ids = names.get(nameHash);
    if (ids === undefined) {
      ids = new Map();
      names.set(nameHash, ids);
    }
    ids.set(id, present);
  }

  get isEmpty(): boolean {
    return this.nodes.size === 0 && this.positions.size === 0;
  }
}
