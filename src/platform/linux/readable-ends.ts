import { closeSync, constants, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { alignedBuffer } from './aligned-buffer.ts';

/** What tells of a disk's contents (partition tables, superblocks, labels of arrays) is within this of its ends. */
const endBytes = 1024 * 1024;

/**
 * Whether the first and the last MiB of a disk can be read, past the kernel's caches where its driver can do that. A read
 * that fails, or that ends before its time, says no. `sizeBytes`: the disk's, a multiple of its blocks. Never rejects.
 */
export async function hasReadableEnds(path: string, sizeBytes: number): Promise<boolean> {
  const length = Math.min(endBytes, sizeBytes);
  let descriptor: number | undefined;
  try {
    descriptor = openToRead(path);
    const buffer = alignedBuffer(length);
    for (const position of [0, sizeBytes - length]) {
      if ((await readAt(descriptor, buffer, 0, length, position)).bytesRead < length) return false;
    }
    return true;
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function openToRead(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return openSync(path, constants.O_RDONLY);
  }
}

/** read(2) at a place. Errors: those of the system. */
export const readAt = promisify(read) as (
  descriptor: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesRead: number }>;
