import type { Bytes } from '../../base/bytes.ts';
import type { FuzzSubject, FuzzTarget } from './fuzz-target.ts';

/** Targets that have just the faults that fuzzing is to find. */
export const fuzzTargets: readonly FuzzTarget[] = [
  broken('throws', (bytes) => {
    if (bytes[0] === 0xff) throw new Error(`cannot read ${bytes.length} bytes`);
  }),
  broken('hangs', (bytes) => {
    while (bytes[0] === 0xff);
  }),
  broken('leaks', (bytes, kept) => void kept.push(new Uint8Array(100_000), bytes)),
  { ...broken('breaks', () => {}), start: () => new Hoarder() },
];

function broken(name: string, receive: (bytes: Bytes, kept: Bytes[]) => void): FuzzTarget {
  return {
    name,
    about: name,
    corpus: () => [{ name: 'one', bytes: Uint8Array.of(1, 2, 3, 4) }],
    layoutOf: (bytes) => ({
      fields: bytes.length === 0 ? [] : [{ offset: 0, size: 1, kind: 'value' }],
      units: [],
    }),
    start: () => {
      const kept: Bytes[] = [];
      return { receive: (bytes) => receive(bytes, kept), check: () => {}, figures: () => ({}) };
    },
  };
}

/** Holds more than it may after the third packet. */
class Hoarder implements FuzzSubject {
  #count = 0;

  receive(): void {
    this.#count++;
  }

  check(): void {
    if (this.#count > 3) throw new Error(`${this.#count} held, 3 allowed`);
  }

  figures(): Readonly<Record<string, number>> {
    return { held: this.#count };
  }
}
