import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of many sizes, the same for the same seed; none of them compresses. Returns their bytes. */
export function makeSmallTree(folder: string, seed: string, sizes: readonly number[]): number {
  mkdirSync(join(folder, 'deep', 'er'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  for (const [index, size] of sizes.entries()) {
    const place = index % 3 === 0 ? '.' : index % 3 === 1 ? 'deep' : 'deep/er';
    writeFileSync(join(folder, place, `file ${index} of ${seed}`), noise(`${seed} ${index}`, size));
  }
  return sizes.reduce((sum, size) => sum + size, 0);
}

function noise(seed: string, size: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(seed)
    .digest()
    .subarray(0, size);
}
