import type { Bytes } from '../base/bytes.ts';
import { CborFields } from '../base/cbor.ts';
import { AetherError, describeError, hasCode } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Disk } from './disk.ts';

export type StateFileErrorCode = 'STATE_FILE_TOO_LARGE';

/**
 * Replaces a small state file (docs/formats.md §1.4): written beside, synced, renamed, its folder synced. After a
 * power cut at any instant the file holds the old bytes or the new ones, whole; on return, the new ones. Two
 * replacements of one path must not overlap. Errors: those of the disk; the old file is then still there.
 */
export async function replaceFile(disk: Disk, path: string, bytes: Bytes): Promise<void> {
  const beside = `${path}.new`;
  const file = await disk.open(beside, 'create');
  try {
    await file.truncate(0);
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(beside, path);
  await disk.syncDirectory(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

/**
 * All of a small file, or undefined when there is none. `bytesMax` bounds what a damaged or foreign file can make
 * us read: `STATE_FILE_TOO_LARGE`.
 */
export async function readFile(disk: Disk, path: string, bytesMax: number): Promise<Bytes | undefined> {
  const file = await disk.open(path, 'read').catch((error: unknown) => {
    if (hasCode(error, 'DISK_NOT_FOUND')) return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes > bytesMax) throw tooLarge(path, sizeBytes, bytesMax);
    const bytes = new Uint8Array(sizeBytes);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

function tooLarge(path: string, sizeBytes: number, bytesMax: number): AetherError<StateFileErrorCode> {
  return new AetherError('STATE_FILE_TOO_LARGE', `${path} is larger than it can be`, {
    fields: { path, sizeBytes, bytesMax },
    help: 'The file is damaged or is no file of ours; put it back from a copy, or move it away and enrol again.',
  });
}

/**
 * The number `name` of `{v: 1, …}` in a small state file that is a hint only: 0 when there is none, or none that can be
 * read, which is logged.
 */
export async function readNumberHint(
  disk: Disk,
  { path, name }: { readonly path: string; readonly name: string },
  log: Log,
): Promise<number> {
  try {
    const bytes = await readFile(disk, path, stateFileBytesMax);
    const fields = bytes === undefined ? undefined : CborFields.decode(bytes);
    return fields?.count('v') === 1 ? fields.count(name) : 0;
  } catch (error) {
    log.warn('a hint cannot be read', { path, reason: describeError(error) });
    return 0;
  }
}
