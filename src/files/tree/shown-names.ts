import { toHex, utf8 } from '../../base/bytes.ts';
import { nameBytesMax } from '../../base/limits.ts';
import { compareStamps } from '../log/operations.ts';
import type { Placed } from './node-value.ts';

export interface NamedNode {
  readonly id: Uint8Array;
  readonly place: Placed;
}

/**
 * The name each node of one directory is shown by. Of several that have the very same name, the one placed last
 * has it; the others show a suffix of their own (`report~3f2a91bc.txt`). Names that differ only in case stay as
 * they are: a desktop that takes them for one gives them suffixes itself.
 */
export function shownNames<Node extends NamedNode>(nodes: Iterable<Node>): Map<string, Node> {
  const shown = new Map<string, Node>();
  const others: Node[] = [];
  for (const node of nodes) {
    const holder = shown.get(node.place.name);
    const wins = holder === undefined || compareStamps(node.place.stamp, holder.place.stamp) > 0;
    if (wins) shown.set(node.place.name, node);
    if (!wins) others.push(node);
    else if (holder !== undefined) others.push(holder);
  }
  for (const node of others) {
    const short = suffixedName(node.place.name, suffixOf(node.id));
    // Somebody may have called a file just that.
    const name = shown.has(short) ? suffixedName(node.place.name, toHex(node.id)) : short;
    if (!shown.has(name)) shown.set(name, node);
  }
  return shown;
}

/** Eight hexadecimal digits of the random part of a node id. */
export function suffixOf(id: Uint8Array): string {
  return toHex(id.subarray(id.length - 4));
}

/** Whether `name` may be one that {@link shownNames} made up. */
export function mayBeSuffixed(name: string): boolean {
  return /~[0-9a-f]{8}/.test(name);
}

/** `report.txt` → `report~3f2a91bc.txt`, cut so that it stays a valid name. */
export function suffixedName(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.');
  const cut = dot > 0 && name.length - dot <= 16 ? dot : name.length;
  const extension = `~${suffix}${name.slice(cut)}`;
  let stem = name.slice(0, cut);
  while (utf8(stem + extension).length > nameBytesMax || !stem.isWellFormed()) stem = stem.slice(0, -1);
  return stem + extension;
}
