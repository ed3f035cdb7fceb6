import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const blockBytes = 4096;
const partBytes = 1024 * blockBytes;

export interface Digests {
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Of each block of 4096 bytes, one after another: what RAUC looks blocks up in (1.13, src/hash_index.c). */
  readonly index: Buffer;
}

/** SHA-256 of a file, and of its blocks. Errors: those of open(2); a file that is not of whole blocks. */
export function digestsOf(file: string): Digests {
  const descriptor = openSync(file, 'r');
  try {
    const whole = createHash('sha256');
    const digests: Buffer[] = [];
    const part = Buffer.alloc(partBytes);
    for (;;) {
      const bytes = readSync(descriptor, part, 0, partBytes, null);
      if (bytes % blockBytes !== 0) throw new Error(`${file} is not of whole blocks of ${blockBytes} bytes`);
      if (bytes === 0) break;
      whole.update(part.subarray(0, bytes));
      for (let at = 0; at < bytes; at += blockBytes)
        digests.push(digestOf(part.subarray(at, at + blockBytes)));
    }
    return {
      sha256: whole.digest('hex'),
      size: digests.length * blockBytes,
      index: Buffer.concat(digests),
    };
  } finally {
    closeSync(descriptor);
  }
}

/** That of an empty block: of a slot that nothing is known of, and nothing to be looked for in. */
export function emptyBlockIndex(): Buffer {
  return digestOf(Buffer.alloc(blockBytes));
}

function digestOf(block: Buffer): Buffer {
  return createHash('sha256').update(block).digest();
}
