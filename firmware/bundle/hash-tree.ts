import { createHash } from 'node:crypto';

const blockBytes = 4096;
const digestBytes = 32;

/**
 * Hash tree of `data` for the kernel's dm-verity: version 1, SHA-256, no superblock; the top level comes first. `data`
 * is a multiple of 4096 bytes, and more than one block.
 */
export function hashTree(data: Buffer, salt: Buffer): { readonly tree: Buffer; readonly rootHash: Buffer } {
  const levels: Buffer[] = [];
  let below = data;
  do {
    below = hashLevel(below, salt);
    levels.unshift(below);
  } while (below.length > blockBytes);
  return { tree: Buffer.concat(levels), rootHash: hashBlock(below, salt) };
}

/** Hashes of blocks, filled up with zeros to whole blocks. */
function hashLevel(data: Buffer, salt: Buffer): Buffer {
  const count = data.length / blockBytes;
  const level = Buffer.alloc(Math.ceil((count * digestBytes) / blockBytes) * blockBytes);
  for (let index = 0; index < count; index++) {
    const block = data.subarray(index * blockBytes, (index + 1) * blockBytes);
    hashBlock(block, salt).copy(level, index * digestBytes);
  }
  return level;
}

function hashBlock(block: Buffer, salt: Buffer): Buffer {
  return createHash('sha256').update(salt).update(block).digest();
}
