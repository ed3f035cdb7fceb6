import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Board, filesOf } from '../board.ts';
import { root } from '../paths.ts';
import type { ImageTools } from '../stages/tools.ts';

export interface OverlayOptions {
  readonly boards: readonly Board[];
  /** Unpacked packages: device trees of real boards. */
  readonly parts: string;
  /** Where it may work. */
  readonly folder: string;
  readonly tools: ImageTools;
}

/**
 * Compiles the device-tree overlay of each board into `target`, and applies it to every device tree that the board may
 * have: what is warned of, or does not apply, fails the build.
 */
export function installOverlays(target: string, { boards, parts, folder, tools }: OverlayOptions): void {
  mkdirSync(target, { recursive: true });
  const sources = join(root, 'overlays/dt');
  for (const board of boards) {
    const source = join(sources, `${board.boot.overlay}.dts`);
    if (!existsSync(source)) throw new Error(`no overlay ${board.boot.overlay} in overlays/dt`);
    const overlay = join(target, `${board.boot.overlay}.dtbo`);
    const flags = ['-@', '-E', 'no-graph_child_address', '-I', 'dts', '-O', 'dtb'];
    tools.run('dtc', [...flags, '-o', overlay, source], [target, sources]);
    for (const tree of deviceTrees(board, { parts, folder, tools })) {
      applyOverlay({ tree, overlay, output: join(folder, 'applied.dtb'), tools });
    }
  }
}

/** Those of the boot partition; of a machine that has none there, the one that the emulator makes up for it. */
function deviceTrees(
  board: Board,
  { parts, folder, tools }: Omit<OverlayOptions, 'boards'>,
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
