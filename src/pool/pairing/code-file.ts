import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { hasCode } from '../../base/errors.ts';
import { stateFileBytesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';
import { parseCode } from './claim-code.ts';

/** The claim code of an unclaimed box, as it outlives a restart. */
export interface KeptCode {
  readonly code: string;
  /** Tries spent on it. */
  readonly failed: number;
  /** Whether pairing was locked; how long it still was, no clock of a restarted box can tell. */
  readonly locked: boolean;
}

/**
 * Where it is kept: CBOR `{v: 1, code, failed, locked}` in the state folder, which only the box's own user can read.
 * The code itself is there, not just what OPAQUE registers, because the console shows it after a restart too; it is
 * worth nothing once the box is claimed, when the file goes.
 */
export const claimCodePath = 'claim-code.cbor';

export async function saveCode(disk: Disk, { code, failed, locked }: KeptCode): Promise<void> {
  await replaceFile(disk, claimCodePath, encodeCbor({ v: 1, code, failed, locked }));
}

/** Undefined when there is none, or none that can be read: a new code is as good. */
export async function loadCode(disk: Disk, { log }: { readonly log: Log }): Promise<KeptCode | undefined> {
  const bytes = await readFile(disk, claimCodePath, stateFileBytesMax);
  if (bytes === undefined) return undefined;
  try {
    const fields = CborFields.decode(bytes);
    const code = parseCode(fields.text('code'));
    if (fields.count('v') === 1 && code !== undefined) {
      return { code, failed: fields.count('failed'), locked: fields.flag('locked') };
    }
  } catch (error) {
    if (!hasCode(error, 'CBOR_INVALID')) throw error;
  }
  log.warn('claim code unreadable, making a new one');
  return undefined;
}

export async function removeCode(disk: Disk): Promise<void> {
  try {
    await disk.remove(claimCodePath);
  } catch (error) {
    if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
  }
}
