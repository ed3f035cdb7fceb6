import { type Bytes, viewOf } from '../base/bytes.ts';
import type { Entropy } from '../ports/entropy.ts';

export const nodeIdBytes = 16;

/** The directory that every path begins at. */
export const rootNode: Bytes = new Uint8Array(nodeIdBytes);

/** Where removed nodes are placed. */
export const trashNode: Bytes = new Uint8Array(nodeIdBytes).fill(1, nodeIdBytes - 1);

/** 48 bits of milliseconds, then 80 random ones: new nodes are neighbours in the index. */
export function newNodeId(ms: number, entropy: Entropy): Bytes {
  const id = new Uint8Array(nodeIdBytes);
  const view = viewOf(id);
  view.setUint16(0, Math.floor(ms / 2 ** 32));
  view.setUint32(2, ms % 2 ** 32);
  id.set(entropy.bytes(nodeIdBytes - 6), 6);
  return id;
}
