import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../text-file.ts';

/** Another after every start of the kernel; random(4). */
export const bootIdFile = '/proc/sys/kernel/random/boot_id';
export const bootIdBytesMax = 100;
/** In which start of the kernel the program was started last. */
const markName = 'kernel-start';

/**
 * Whether the program that lives in this folder starts for the first time since the kernel did, and notes that it has. No
 * after all where that cannot be noted, for each start would be the first one, nor where the kernel has no id. Never rejects.
 */
export async function isFirstStart(folder: string, idFile: string = bootIdFile): Promise<boolean> {
  try {
    const id = Buffer.from((await readTextFile(idFile, bootIdBytesMax)).trim());
    // In its place, so that it needs no room on a full card. Not synced: when power goes, so does the kernel it tells of.
    const mark = await open(join(folder, markName), constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      const { buffer, bytesRead } = await mark.read(Buffer.alloc(bootIdBytesMax), 0, bootIdBytesMax, 0);
      if (id.equals(buffer.subarray(0, bytesRead))) return false;
      await mark.write(id, 0, id.length, 0);
      await mark.truncate(id.length);
      return true;
    } finally {
      await mark.close();
    }
  } catch {
    return false;
  }
}
