import type { Bytes } from './bytes.ts';

const withheld = new WeakSet<ArrayBufferLike>();

/**
 * Says that somebody may still read this memory or write into it, though nobody waits for it any more: whoever keeps
 * memory to use it again leaves it to the collector.
 */
export function withhold(parts: readonly Bytes[]): void {
  for (const { buffer } of parts) withheld.add(buffer);
}

export function isWithheld({ buffer }: Bytes): boolean {
  return withheld.has(buffer);
}
