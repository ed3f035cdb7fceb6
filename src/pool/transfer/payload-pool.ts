import type { Bytes } from '../../base/bytes.ts';
import { payloadPoolBytesMax } from '../../base/limits.ts';
import { isWithheld } from '../../base/withheld-memory.ts';

/** Smaller payloads are had faster from the allocator. */
const pooledBytesMin = 16 * 1024;

/** Slabs come in multiples of this, so that a chunk of 256 KiB and its header waste little. */
const slabStepBytes = 64 * 1024;

/**
 * Memory to receive large payloads into, used again: fresh memory for each costs as many page faults as the
 * decryption costs instructions. At most `payloadPoolBytesMax` lie
 * idle.
 */
export class PayloadPool {
  readonly #idle = new Map<number, Bytes[]>();
  #idleBytes = 0;

  /** `bytes` of memory with arbitrary content. */
  take(bytes: number): Bytes {
    if (bytes < pooledBytesMin) return new Uint8Array(bytes);
    const size = Math.ceil(bytes / slabStepBytes) * slabStepBytes;
    const slab = this.#idle.get(size)?.pop();
    if (slab === undefined) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer, 0, bytes);
    this.#idleBytes -= size;
    return slab.subarray(0, bytes);
  }

  /** Gives back what `take` gave; nobody may look at it any more, or it is withheld. */
  release(payload: Bytes): void {
    const size = payload.buffer.byteLength;
    const pooled = size > 0 && size % slabStepBytes === 0 && !isWithheld(payload);
    if (!pooled || this.#idleBytes + size > payloadPoolBytesMax) return;
    this.#idleBytes += size;
    const slabs = this.#idle.get(size);
    const slab = new Uint8Array(payload.buffer);
    if (slabs === undefined) this.#idle.set(size, [slab]);
    else slabs.push(slab);
  }
}
