import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { diskError } from './disk-errors.ts';

/** Its being there means that a reset was asked for and may be half done. */
const markName = 'factory-reset';

/**
 * Makes the box in this folder forget everything at its next start: its key, its pool, its names and its PIN. What its
 * disks hold stays, sealed: a box that is claimed into the same pool again serves it. Durable on return. Errors:
 * `DiskErrorCode`.
 */
export function beginFactoryReset(folder: string): void {
  translated(folder, () => {
    const mark = openSync(join(folder, markName), 'w');
    fsyncSync(mark);
    closeSync(mark);
    syncFolder(folder);
  });
}

/** Forgets, if that was asked for, however often it was cut off before. The folder `state` itself stays. */
export function finishFactoryReset(folder: string): void {
  translated(folder, () => {
    if (!existsSync(join(folder, markName))) return;
    const state = join(folder, 'state');
    for (const name of readdirSync(state)) rmSync(join(state, name), { recursive: true, force: true });
    syncFolder(state);
    rmSync(join(folder, markName), { force: true });
    syncFolder(folder);
  });
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function translated(folder: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw diskError(cause, folder);
  }
}
