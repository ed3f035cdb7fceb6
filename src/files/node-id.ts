import { hash } from 'node:crypto';
import { type Bytes, concat, viewOf } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { RemotePath } from './remote-path.ts';

export const nodeIdBytes = 16;

/** The directory that every path begins at. */
export const rootNode: Bytes = new Uint8Array(nodeIdBytes);

/** Where removed nodes are placed. */
export const trashNode: Bytes = new Uint8Array(nodeIdBytes).fill(1, nodeIdBytes - 1);

const timeBytes = 6;

/**
 * What the ids of the nodes that one put makes derive from: 48 bits of milliseconds, then 80 random ones. The desktop
 * draws it, so that a commit whose answer was lost makes the same nodes when it is sent to another box.
 */
export function newNodeSeed(ms: number, entropy: Entropy): Bytes {
  const id = new Uint8Array(nodeIdBytes);
  const view = viewOf(id);
  view.setUint16(0, Math.floor(ms / 2 ** 32));
  view.setUint32(2, ms % 2 ** 32);
  id.set(entropy.bytes(nodeIdBytes - timeBytes), timeBytes);
  return id;
}

/**
 * The node that a put with `seed` makes at `path`: the seed's time, so that new nodes are neighbours in the index.
 * `generation` counts the nodes that it made there before, which were removed.
 */
export function nodeIdAt(path: RemotePath, seed: Bytes, generation: number): Bytes {
  const digest = hash('sha256', concat([seed, encodeCbor([generation, ...path])]), 'buffer');
  return concat([seed.subarray(0, timeBytes), digest.subarray(0, nodeIdBytes - timeBytes)]);
}
