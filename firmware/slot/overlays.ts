import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Board, filesOf } from '../board.ts';
import { root } from '../paths.ts';
import type { ImageTools } from '../stages/tools.ts';
import { driversOf } from './drivers.ts';
import type { Kernel } from './kernel.ts';

export interface OverlayOptions {
  readonly boards: readonly Board[];
  readonly kernel: Kernel;
  /** Modules of the slot. */
  readonly modules: ReadonlySet<string>;
  /** Unpacked packages: device trees of real boards. */
  readonly parts: string;
  /** Where it may work. */
  readonly folder: string;
  readonly tools: ImageTools;
}

/**
 * Compiles the device-tree overlay of each board into `target`, and applies it to every device tree that the board may
 * have: what is warned of, does not apply, or asks for a driver that is not in the slot, fails the build.
 */
export function installOverlays(target: string, options: OverlayOptions): void {
  const { boards, kernel, modules, parts, folder, tools } = options;
  const aliases = readFileSync(
    join(kernel.folder, 'usr/lib/modules', kernel.version, 'modules.alias'),
    'utf8',
  );
  mkdirSync(target, { recursive: true });
  const sources = join(root, 'overlays/dt');
  for (const board of boards) {
    const source = join(sources, `${board.boot.overlay}.dts`);
    if (!existsSync(source)) throw new Error(`no overlay ${board.boot.overlay} in overlays/dt`);
    const overlay = join(target, `${board.boot.overlay}.dtbo`);
    const flags = ['-@', '-E', 'no-graph_child_address', '-I', 'dts', '-O', 'dtb'];
    tools.run('dtc', [...flags, '-o', overlay, source], [target, sources]);
    for (const tree of deviceTrees(board, { parts, folder, tools })) {
      const output = join(folder, 'applied.dtb');
      applyOverlay({ tree, overlay, output, tools });
      const source = tools.run('dtc', ['-q', '-I', 'dtb', '-O', 'dts', output], [folder]);
      const missing = [...driversOf(source, aliases)].filter(
        (name) => !modules.has(name) && !board.modules.unused.includes(name),
      );
      if (missing.length > 0)
        throw new Error(`${basename(tree)} asks for drivers that are not in the slot: ${missing.join(', ')}`);
    }
  }
}

/** Those of the boot partition; of a machine that has none there, the one that the emulator makes up for it. */
function deviceTrees(
  board: Board,
  { parts, folder, tools }: Pick<OverlayOptions, 'parts' | 'folder' | 'tools'>,
): readonly string[] {
  const files = filesOf(board.files, parts).map(({ from }) => from);
  const trees = files.filter((file) => file.endsWith('.dtb'));
  if (trees.length > 0) return trees;
  const tree = join(folder, 'emulator.dtb');
  const machine = `${board.emulator.machine},dumpdtb=${tree}`;
  tools.run('qemu-system-aarch64', ['-machine', machine, '-nodefaults', '-display', 'none'], [folder]);
  return [tree];
}

/** Writes a device tree with an overlay applied. Throws when it does not apply. */
export function applyOverlay({
  tree,
  overlay,
  output,
  tools,
}: {
  readonly tree: string;
  readonly overlay: string;
  readonly output: string;
  readonly tools: ImageTools;
}): void {
  const shared = [dirname(output), dirname(tree), dirname(overlay)];
  tools.run('fdtoverlay', ['-i', tree, '-o', output, overlay], shared);
}
