import type { Bytes } from '../../base/bytes.ts';
import { inlineFileBytesMax, sealFillBytes } from '../../base/limits.ts';
import { Chunker, type ChunkerParameters, defaultChunkerParameters } from '../../store/chunker/chunker.ts';
import { type SealedChunk, type Suite, sealChunk } from '../../store/seal.ts';
import { type Content, emptyContent } from './content.ts';
import { ManifestWriter } from './manifest.ts';

/** What a pool seals with. */
export interface SealSecrets {
  readonly chunkKeySecret: Bytes;
  /** 256 words. */
  readonly gearTable: Uint32Array;
  readonly suite: Suite;
  readonly parameters?: ChunkerParameters;
}

export interface SealedContent {
  readonly size: number;
  readonly content: Content;
}

/**
 * Cuts and seals one file after another. The caller fills {@link space}, says how far, and at the end of the file
 * asks for its content; `emit` gets each chunk when it is sealed. Synchronous: it belongs into a worker thread.
 */
export class ContentSealer {
  readonly #chunker: Chunker;
  readonly #secrets: SealSecrets;
  readonly #emit: (chunk: SealedChunk) => void;
  readonly #allocate: ((bytes: number) => Bytes) | undefined;
  readonly #manifest: ManifestWriter;
  readonly #fillBytes: number;
  /** Bytes in the window that are not sealed yet. */
  #filled = 0;
  #sealed = 0;

  /** Sealed chunks are in memory that `allocate` gives; without it each has its own. */
  constructor(secrets: SealSecrets, emit: (chunk: SealedChunk) => void, allocate?: (bytes: number) => Bytes) {
    const parameters = secrets.parameters ?? defaultChunkerParameters;
    this.#chunker = new Chunker(secrets.gearTable, parameters);
    this.#fillBytes = Math.min(this.#chunker.window.length, sealFillBytes + parameters.maxBytes);
    this.#secrets = secrets;
    this.#emit = emit;
    this.#allocate = allocate;
    this.#manifest = new ManifestWriter((list) => this.#seal(list));
  }

  /** Where the next bytes of the file go; never empty. */
  get space(): Bytes {
    return this.#chunker.window.subarray(this.#filled, this.#fillBytes);
  }

  /** Says that `count` bytes were written to the beginning of {@link space}. */
  advance(count: number): void {
    this.#filled += count;
    if (this.#filled === this.#fillBytes) this.#cut(false);
  }

  /** Ends the file. The next bytes begin another one. */
  finish(): SealedContent {
    const size = this.#sealed + this.#filled;
    const content = size <= inlineFileBytesMax ? this.#inline() : this.#chunked();
    this.reset();
    return { size, content };
  }

  /** Forgets a file half-way; chunks that were emitted stay what they are. */
  reset(): void {
    this.#manifest.clear();
    this.#filled = 0;
    this.#sealed = 0;
  }

  #inline(): Content {
    return this.#filled === 0
      ? emptyContent
      : { depth: 0, inline: this.#chunker.window.slice(0, this.#filled) };
  }

  #chunked(): Content {
    this.#cut(true);
    return this.#manifest.finish();
  }

  #cut(last: boolean): void {
    const { window } = this.#chunker;
    let start = 0;
    for (const end of this.#chunker.cut(this.#filled, last)) {
      const { id, key } = this.#seal(window.subarray(start, end));
      this.#manifest.add({ id, key, fileBytes: end - start });
      start = end;
    }
    window.copyWithin(0, start, this.#filled);
    this.#filled -= start;
    this.#sealed += start;
  }

  #seal(plaintext: Bytes): SealedChunk {
    const { chunkKeySecret, suite } = this.#secrets;
    const chunk = sealChunk(plaintext, chunkKeySecret, suite, this.#allocate);
    this.#emit(chunk);
    return chunk;
  }
}
