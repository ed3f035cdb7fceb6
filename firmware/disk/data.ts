import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settleModes } from '../slot/modes.ts';
import { sourceDateEpoch } from '../stages/debian.ts';
import { run } from '../stages/run.ts';
import { digestsOf, emptyBlockIndex } from './block-index.ts';

/** It grows to the end of the card at the first start. */
const dataBytes = '128M';

export interface DataOptions {
  /** File with the system that is in the first slot. */
  readonly slot: string;
  /** Where it may work. */
  readonly folder: string;
  readonly output: string;
  /** Runs a program of the image's tools. */
  readonly inTools: (program: string, words: readonly string[]) => string;
}

/** Makes the file system of the data partition of a new card. */
export function buildDataPartition({ slot, folder, output, inTools }: DataOptions): void {
  const tree = join(folder, 'data');
  writeSlotFacts(join(tree, 'rauc'), slot);
  run('chown', ['-R', '0:0', tree]);
  settleModes(tree);
  run('sh', ['-euc', `find "$1" -exec touch -h -d @${sourceDateEpoch} {} +`, 'times', tree]);
  run('truncate', ['--size', dataBytes, output]);
  const uuid = '6c1f8c1e-6f0e-4c52-8f06-0f1a2b3c4d5e';
  const words = ['-q', '-t', 'ext4', '-b', '4096', '-m', '1', '-U', uuid, '-E', `hash_seed=${uuid}`];
  inTools('mke2fs', [...words, '-L', 'data', '-d', tree, output]);
}

/**
 * What RAUC would else work out at each update until it has written a slot itself: it reads both slots whole, which takes
 * a Pi 3 most of a minute. It relies on no index: a block that it takes from a slot is hashed again. (Names and places:
 * src/status_file.c and src/slot.c of RAUC 1.13.)
 *
 * Of the second slot, which is empty, there is nothing to be known. It is `pending`, or RAUC would remove its index at
 * once; one block is all that is looked for in it, so that what an installation wrote there that was cut off comes from the
 * bundle once more.
 */
function writeSlotFacts(folder: string, slot: string): void {
  const { sha256, size, index } = digestsOf(slot);
  const facts = [
    ...['[slot.rootfs.0]', 'status=ok', `sha256=${sha256}`, `size=${size}`, ''],
    ...['[slot.rootfs.1]', 'status=pending', ''],
  ];
  const files = {
    'central.raucs': facts.join('\n'),
    [`slot.rootfs.0/hash-${sha256}/block-hash-index`]: index,
    'slot.rootfs.1/hash-unknown/block-hash-index': emptyBlockIndex(),
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
