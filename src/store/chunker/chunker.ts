import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { instantiate } from '../wasm.ts';
import { fastcdcWasm } from './fastcdc-wasm.ts';

export type ChunkerErrorCode = 'CHUNKER_PARAMETERS_INVALID';

/** Sizes of chunks in bytes. The average is a power of two. One set a pool. */
export interface ChunkerParameters {
  readonly minBytes: number;
  readonly averageBytes: number;
  readonly maxBytes: number;
}

/** For an index on an SSD or an SD card. */
export const defaultChunkerParameters: ChunkerParameters = {
  minBytes: 16 * 1024,
  averageBytes: 64 * 1024,
  maxBytes: 256 * 1024,
};

/** How many bits more, and fewer, a cut needs before and after the average size ("normalised chunking", level 2). */
const normalisation = 2;

/** The module keeps its first page for tables. */
const windowOffset = 64 * 1024;
const tableOffset = 1024;

/** The masks of {@link ChunkerParameters}: the bits of the hash that are 0 where a chunk may end. */
export interface CutMasks {
  readonly strict: number;
  readonly loose: number;
}

/** High bits, because they depend on most bytes; not bit 31, which the module's two bytes a step give up. */
export function cutMasks(parameters: ChunkerParameters): CutMasks {
  const bits = Math.log2(parameters.averageBytes);
  const mask = (count: number) => (2 ** 31 - 2 ** (31 - count)) >>> 0;
  return { strict: mask(bits + normalisation), loose: mask(bits - normalisation) };
}

/**
 * Cuts byte streams into chunks where their contents say so (FastCDC, IEEE TPDS 2020), keyed by a table so that
 * sizes tell nothing to those who do not have it. Not for two streams at once: the window is its own memory.
 */
export class Chunker {
  /** The module's memory, 4 MiB, that the caller reads file bytes into. */
  readonly window: Bytes;
  readonly #parameters: ChunkerParameters;
  readonly #masks: CutMasks;
  readonly #cut: (from: number, normal: number, to: number, strict: number, loose: number) => number;

  /** `table`: 256 words that the pool derives from its dedupe secret. Errors: `CHUNKER_PARAMETERS_INVALID`. */
  constructor(table: Uint32Array, parameters: ChunkerParameters = defaultChunkerParameters) {
    assert(table.length === 256, 'the table has 256 words');
    const instance = instantiate(fastcdcWasm);
    this.window = instance.memory.subarray(windowOffset);
    checkParameters(parameters, this.window.length);
    const words = new DataView(instance.memory.buffer, tableOffset, 1024);
    for (let index = 0; index < 256; index++) words.setUint32(4 * index, table[index]!, true);
    instance.call('prepare')();
    this.#parameters = parameters;
    this.#masks = cutMasks(parameters);
    this.#cut = instance.call('cut');
  }

  /**
   * Ends of the chunks found in window[0..filledBytes). Without `last`, the tail after the last end is not yet a
   * chunk: move it to the front (`window.copyWithin`) and fill on. With `last`, the final end is `filledBytes`.
   */
  cut(filledBytes: number, last: boolean): readonly number[] {
    assert(filledBytes >= 0 && filledBytes <= this.window.length, 'the window holds what was filled');
    const ends: number[] = [];
    for (let start = 0; start < filledBytes; ) {
      const end = this.#endOf(start, filledBytes, last);
      if (end === undefined) break;
      ends.push(end);
      start = end;
    }
    return ends;
  }

  #endOf(start: number, filledBytes: number, last: boolean): number | undefined {
    const { minBytes, averageBytes, maxBytes } = this.#parameters;
    const limit = Math.min(filledBytes, start + maxBytes);
    const from = start + minBytes;
    if (from < limit) {
      const found = this.#cut(
        windowOffset + from,
        windowOffset + start + averageBytes,
        windowOffset + limit,
        this.#masks.strict,
        this.#masks.loose,
      );
      if (found !== 0) return found - windowOffset;
    }
    return limit === start + maxBytes || last ? limit : undefined;
  }
}

function checkParameters({ minBytes, averageBytes, maxBytes }: ChunkerParameters, windowBytes: number): void {
  const bits = Math.log2(averageBytes);
  const ordered = 0 < minBytes && minBytes <= averageBytes && averageBytes <= maxBytes;
  if (
    ![minBytes, averageBytes, maxBytes].every(Number.isSafeInteger) ||
    !ordered ||
    !Number.isInteger(bits) ||
    bits < 2 * normalisation ||
    maxBytes > windowBytes / 2
  ) {
    throw new AetherError<ChunkerErrorCode>('CHUNKER_PARAMETERS_INVALID', 'chunk sizes are out of range', {
      fields: { minBytes, averageBytes, maxBytes },
      help: `Sizes must rise, the average must be a power of two, the largest at most ${windowBytes / 2}.`,
    });
  }
}
