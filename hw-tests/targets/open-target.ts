import { mkdirSync } from 'node:fs';
import type { Target } from '../target.ts';
import { BoardTarget } from './board/board-target.ts';
import type { MachineKind } from './qemu/machine-kind.ts';
import { QemuTarget } from './qemu/qemu-target.ts';
import { raspi3b } from './qemu/raspi3b.ts';
import { virt } from './qemu/virt.ts';

export interface TargetOptions {
  /** The target's own, for as long as it is open. */
  readonly folder: string;
  /** What `npm run image` made, unless it is where it does for the target's board. */
  readonly images: string | undefined;
  readonly say: (line: string) => void;
}

const machines: Readonly<Record<string, MachineKind>> = { qemu: virt, raspi3b };

/** `qemu`, `raspi3b`, or the path of a board's configuration. */
export async function openTarget(name: string, { folder, images, say }: TargetOptions): Promise<Target> {
  mkdirSync(folder, { recursive: true });
  const kind = machines[name];
  if (kind !== undefined) return QemuTarget.open(kind, { folder, images, say });
  return BoardTarget.open(name, folder);
}
