import type { Bytes } from '../base/bytes.ts';

/** Small chunks that were read lately, the least lately read dropped first. */
export class ChunkCache {
  readonly #bytesMax: number;
  readonly #entryBytesMax: number;
  /** In the order of their last reading. */
  readonly #bodies = new Map<string, Bytes>();
  #bytes = 0;

  constructor(bytesMax: number, entryBytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#entryBytesMax = entryBytesMax;
  }

  get(name: string): Bytes | undefined {
    const body = this.#bodies.get(name);
    if (body === undefined) return undefined;
    this.#bodies.delete(name);
    this.#bodies.set(name, body);
    return body;
  }

  add(name: string, body: Bytes): void {
    if (body.length > this.#entryBytesMax || this.#bodies.has(name)) return;
    this.#bodies.set(name, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#bodies.delete(oldest);
      this.#bytes -= length;
    }
  }
}
