import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../board.ts';
import { root } from '../paths.ts';
import type { ImageTools } from '../stages/tools.ts';

/** Compiles the device-tree overlay of each board into `target`; warnings are errors. */
export function installOverlays(target: string, boards: readonly Board[], tools: ImageTools): void {
  mkdirSync(target, { recursive: true });
  const sources = join(root, 'overlays/dt');
  for (const overlay of new Set(boards.map(({ boot }) => boot.overlay))) {
    const source = join(sources, `${overlay}.dts`);
    if (!existsSync(source)) throw new Error(`no overlay ${overlay} in overlays/dt`);
    const output = join(target, `${overlay}.dtbo`);
    tools.run(
      'dtc',
      ['-@', '-E', 'no-graph_child_address', '-I', 'dts', '-O', 'dtb', '-o', output, source],
      [target, sources],
    );
  }
}
