import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Board, bootFacts, filesOf } from '../board.ts';
import { slotBytes } from '../slot/slot.ts';
import { run } from '../stages/run.ts';
import type { ImageTools } from '../stages/tools.ts';
import { buildDataPartition } from './data.ts';
import { loaderVariables, makeEnvironment } from './environment.ts';

/** What is kept of the boot loader's tries, twice (`boot/boot.cmd`). */
export const environmentBytes = 0x4000;
/**
 * A card rewrites some MiB at once, which a power cut may take: the environment, its copy (`boot/boot.cmd`), the mark that
 * data were here (overlays/rootfs, `note-data`), what a flashed card is told about itself, and the slots lie so far apart.
 */
export const cardUnitBytes = 4 * 1024 ** 2;
const environmentPartition = 3 * cardUnitBytes;
const identityPartition = '64K';

export interface DiskOptions {
  readonly board: Board;
  readonly slot: string;
  /** The board's device-tree overlay, compiled. */
  readonly overlay: string;
  /** Unpacked packages: boot loaders and firmware. */
  readonly parts: string;
  readonly folder: string;
  readonly output: string;
  readonly tools: ImageTools;
}

/** Lays out a card: boot partition, environment, identity, two slots (the second empty), data. */
export function buildDisk({ board, slot, overlay, parts, folder, output, tools }: DiskOptions): void {
  const input = join(folder, 'in');
  for (const name of [input, join(folder, 'root'), join(folder, 'tmp')]) {
    rmSync(name, { recursive: true, force: true });
    mkdirSync(name, { recursive: true });
  }
  const here = [folder, dirname(slot), dirname(output)];
  const inTools = (program: string, words: readonly string[]) => tools.run(program, words, here);
  makeEnvironment({
    variables: ['BOOT_ORDER=A B', 'BOOT_A_LEFT=3', 'BOOT_B_LEFT=3'],
    bytes: environmentBytes,
    output: join(input, 'env.bin'),
    tools,
  });
  buildBootPartition({ board, overlay, parts, input, tools, inTools });
  buildDataPartition({ slot, folder: input, output: join(input, 'data.ext4'), inTools });
  writeFileSync(join(folder, 'genimage.cfg'), layout(slot));
  inTools('genimage', [
    ...['--config', join(folder, 'genimage.cfg'), '--inputpath', input, '--outputpath', join(folder, 'out')],
    ...['--rootpath', join(folder, 'root'), '--tmppath', join(folder, 'tmp'), '--loglevel', '1'],
  ]);
  rmSync(output, { force: true });
  run('mv', [join(folder, 'out', 'card.img'), output]);
}

interface BootPartition {
  readonly board: Board;
  readonly overlay: string;
  readonly parts: string;
  readonly input: string;
  readonly tools: ImageTools;
  readonly inTools: (program: string, words: readonly string[]) => string;
}

/** FAT: the boot script, the board's facts for it, and the files that the board's ROM looks for. */
function buildBootPartition({ board, overlay, parts, input, tools, inTools }: BootPartition): void {
  const files = join(input, 'boot');
  mkdirSync(files, { recursive: true });
  const script = join(files, 'boot.cmd');
  const commands = readFileSync(new URL('../boot/boot.cmd', import.meta.url), 'utf8');
  writeFileSync(script, commands.replace(/^ *#.*\n/gm, ''));
  inTools('mkimage', [
    '-q',
    '-A',
    'arm64',
    '-T',
    'script',
    '-C',
    'none',
    '-n',
    'AetherStore',
    '-d',
    script,
    join(files, 'boot.scr'),
  ]);
  rmSync(script);
  const { environment } = board.boot;
  if (environment.file !== null) {
    const output = join(files, environment.file);
    makeEnvironment({ variables: loaderVariables(board.boot), bytes: environment.bytes, output, tools });
  }
  writeFileSync(join(files, 'board.env'), bootFacts(board));
  for (const { from, to } of [
    ...filesOf(board.files, parts),
    { from: overlay, to: 'overlays/aetherstore.dtbo' },
  ]) {
    mkdirSync(dirname(join(files, to)), { recursive: true });
    copyFileSync(from, join(files, to));
  }
  const image = join(input, 'boot.vfat');
  run('truncate', ['--size', '64M', image]);
  inTools('mkfs.vfat', ['--invariant', '-F', '32', '-n', 'BOOT', image]);
  const copy = `find . -exec touch -d @$SOURCE_DATE_EPOCH {} +
find . -mindepth 1 | LC_ALL=C sort | while read -r each; do
  if [ -d "$each" ]; then mmd -i "$0" "::$each"; else mcopy -m -i "$0" "$each" "::$each"; fi
done`;
  inTools('sh', ['-euc', `cd '${files}'\n${copy}`, image]);
}

/** Hybrid: the ROM of a Pi 3 reads an MBR only, everybody else the GPT, whose names say what is what. */
function layout(slot: string): string {
  const id = (last: number) => `61657468-6572-4000-8000-00000000000${last}`;
  const linux = 'partition-type-uuid = "L"';
  return `image card.img {
  hdimage { partition-table-type = hybrid align = ${cardUnitBytes} disk-uuid = "${id(0)}" disk-signature = 0x61657468 }
  partition boot { partition-type = 0x0C partition-type-uuid = "F" partition-uuid = "${id(1)}" image = "boot.vfat" bootable = true }
  partition env { partition-type-uuid = "8DA63339-0007-60C0-C436-083AC8230908" partition-uuid = "${id(2)}" image = "env.bin" size = ${environmentPartition} }
  partition identity { partition-type-uuid = "8DA63339-0007-60C0-C436-083AC8230908" partition-uuid = "${id(3)}" size = ${identityPartition} }
  partition rootA { partition-type-uuid = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" partition-uuid = "${id(4)}" image = "${slot}" size = ${slotBytes} }
  partition rootB { partition-type-uuid = "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" partition-uuid = "${id(5)}" size = ${slotBytes} }
  partition data { ${linux} partition-uuid = "${id(6)}" image = "data.ext4" }
}
`;
}
