import type { Bytes } from '../base/bytes.ts';
import type { Entropy } from '../ports/entropy.ts';

/** Randomness that a seed determines: xoshiro128** (Blackman and Vigna), its state filled by splitmix32. */
export class SeededEntropy implements Entropy {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let mix = seed >>> 0;
    for (let index = 0; index < 4; index++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      let word = mix;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.#state[index] = word ^ (word >>> 15);
    }
  }

  bytes(count: number): Bytes {
    const bytes = new Uint8Array(count);
    for (let offset = 0; offset < count; offset += 4) {
      const word = this.#word();
      for (let index = 0; index < 4 && offset + index < count; index++) {
        bytes[offset + index] = word >>> (8 * (3 - index));
      }
    }
    return bytes;
  }

  /** A whole number from [0, limit). */
  below(limit: number): number {
    return Math.floor((this.#word() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.#word() / 2 ** 32 < probability;
  }

  #word(): number {
    const state = this.#state;
    const [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ state[2]!;
    state[0] = a ^ state[3]!;
    state[2] = state[2]! ^ (b << 9);
    state[3] = rotateLeft(state[3]!, 11);
    return result;
  }
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}
