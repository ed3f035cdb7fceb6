import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { ensureImage, imageFolder } from '../../firmware/image.ts';
import { whyNoLan } from '../../scripts/lan/network.ts';
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
  /** How many an emulated computer is to have, where its kind leaves that open. */
  readonly processors: number;
  readonly say: (line: string) => void;
}

const machines: Readonly<Record<string, MachineKind>> = { qemu: virt, raspi3b };

/** Whether there can be several beside each other; of a board there is one. */
export function isEmulated(name: string): boolean {
  return machines[name] !== undefined;
}

/** Why this computer cannot have the target, as a sentence; undefined when it can. */
export function whyNoTarget(name: string): string | undefined {
  const kind = machines[name];
  if (kind === undefined) return undefined;
  const reason = whyNoLan();
  if (reason !== undefined || existsSync(imageFolder(kind.board))) return reason;
  const { error } = spawnSync('mmdebstrap', ['--version']);
  return error === undefined
    ? undefined
    : 'There is no image, and mmdebstrap, which makes it, is not installed.';
}

/** The folder with the image of an emulated target, made where there is none. */
export async function imagesOf(name: string, say: (line: string) => void): Promise<string> {
  const kind = machines[name];
  assert(kind !== undefined, 'only emulated targets have images');
  return ensureImage(kind.board, say);
}

/** `qemu`, `raspi3b`, or the path of a board's configuration. */
export async function openTarget(
  name: string,
  { folder, images, processors, say }: TargetOptions,
): Promise<Target> {
  mkdirSync(folder, { recursive: true });
  const kind = machines[name];
  if (kind !== undefined) return QemuTarget.open(kind, { folder, images, processors, say });
  return BoardTarget.open(name, folder);
}
