import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { bundlePartBytes } from '../base/face-limits.ts';
import type { DiskFile } from '../ports/disk.ts';

/** Part of a bundle as it is sent; its bytes are valid until the next one is asked for. */
export interface BundlePart {
  readonly offset: number;
  readonly bytes: Bytes;
}

/** How much of a file is to be sent. Errors: `UPDATE_INCOMPLETE` when there is nothing in it, those of the disk. */
export async function bundleBytes(file: DiskFile): Promise<number> {
  const bytes = await file.sizeBytes();
  if (bytes > 0) return bytes;
  // No part of it would come, and what somebody else has sent would be staged.
  throw new AetherError('UPDATE_INCOMPLETE', 'the file is empty', {
    help: 'See that it was copied to its end.',
  });
}

/** A file of `totalBytes`, in parts. Errors: `UPDATE_INCOMPLETE` when it gets shorter meanwhile, those of the disk. */
export async function* bundleParts(file: DiskFile, totalBytes: number): AsyncGenerator<BundlePart> {
  const part = new Uint8Array(bundlePartBytes);
  for (let offset = 0; offset < totalBytes; ) {
    const wanted = part.subarray(0, Math.min(part.length, totalBytes - offset));
    const bytes = wanted.subarray(0, await file.read(wanted, offset));
    if (bytes.length === 0) {
      throw new AetherError('UPDATE_INCOMPLETE', 'the file became shorter while it was sent', {
        help: 'Send it again when nobody writes to it.',
      });
    }
    yield { offset, bytes };
    offset += bytes.length;
  }
}
