import { compareStamps, type Operation, type Stamp } from '../log/operations.ts';
import type { TreeNode } from './node-value.ts';

/**
 * What a node is after one more operation: the newest place and the newest version win, by (clock, author). The
 * order in which operations come makes no difference.
 */
export function foldOperation(node: TreeNode, operation: Operation, author: Uint8Array): TreeNode {
  const stamp: Stamp = { clock: operation.clock, author };
  if (operation.op === 'place') {
    if (!isNewer(stamp, node.place?.stamp)) return node;
    return { ...node, place: { stamp, parent: operation.parent, name: operation.name } };
  }
  if (!isNewer(stamp, node.version?.stamp)) return node;
  const { kind, mode, mtimeMs, size, content, target } = operation;
  return {
    ...node,
    version: {
      stamp,
      kind,
      mode,
      mtimeMs,
      size,
      ...(content === undefined ? {} : { content }),
      ...(target === undefined ? {} : { target }),
    },
  };
}

function isNewer(stamp: Stamp, than: Stamp | undefined): boolean {
  return than === undefined || compareStamps(stamp, than) > 0;
}
