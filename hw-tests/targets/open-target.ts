import { mkdirSync } from 'node:fs';
import type { Target } from '../target.ts';
import { BoardTarget } from './board/board-target.ts';
import { QemuTarget } from './qemu/qemu-target.ts';

export interface TargetOptions {
  /** The target's own, for as long as it is open. */
  readonly folder: string;
  /** What `npm run image` made. */
  readonly images: string;
  readonly say: (line: string) => void;
}

/** `qemu`, or the path of a board's configuration. */
export async function openTarget(name: string, { folder, images, say }: TargetOptions): Promise<Target> {
  mkdirSync(folder, { recursive: true });
  if (name === 'qemu') return QemuTarget.open(folder, images, say);
  return BoardTarget.open(name, folder);
}
