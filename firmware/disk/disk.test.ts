import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../paths.ts';
import { cardUnitBytes, environmentBytes } from './disk.ts';

const blockBytes = 512;

/** The number that `pattern` finds in a file of the tree. */
function numberIn(path: string, pattern: RegExp): number {
  const found = pattern.exec(readFileSync(join(root, path), 'utf8'))?.[1];
  assert.ok(found !== undefined, `${path}: ${pattern}`);
  return Number(found);
}

test('the copy of the environment and the mark that data were here are each a unit of the card away', () => {
  const script = 'firmware/boot/boot.cmd';
  const copy = numberIn(script, /env_copy \$\{env_start\} \+ (0x[0-9a-f]+)/) * blockBytes;
  const read = numberIn(script, /read \$\{kernel_addr_r\} \$\{env_copy\} (0x[0-9a-f]+)/) * blockBytes;
  const note = 'overlays/rootfs/usr/lib/aetherstore/note-data';
  const marks = [/skip=(\d+)/, /seek=(\d+)/].map((pattern) => numberIn(note, pattern) * blockBytes);
  assert.deepEqual([copy, ...marks], [cardUnitBytes, 2 * cardUnitBytes, 2 * cardUnitBytes]);
  assert.equal(read, environmentBytes);
  assert.equal(numberIn('hw-tests/tear-environment.ts', /\[0, (\d+) \* 1024 \*\* 2\]/) * 1024 ** 2, copy);
});
