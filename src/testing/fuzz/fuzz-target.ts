import type { Bytes } from '../../base/bytes.ts';
import type { CorpusEntry } from './corpus.ts';
import type { Layout } from './mutation.ts';

/** A part of the product that takes bytes from strangers. */
export interface FuzzTarget {
  readonly name: string;
  /** One line for a person. */
  readonly about: string;
  corpus(): readonly CorpusEntry[];
  /** Where in a packet, broken or not, its lengths, counts and names are: what mutation is best at. */
  layoutOf(bytes: Bytes): Layout;
  /** Once for a whole run, so that what a million packets leave behind is seen. */
  start(): FuzzSubject | Promise<FuzzSubject>;
}

/** Runs one piece of work that the product does without a break, and measures it. */
export type Stopwatch = <T>(work: () => T) => T;

/** One living instance of a target. Everything it does is decided by the bytes it got. */
export interface FuzzSubject {
  /**
   * Takes one packet as it would from the network, each turn of the event loop that this takes under `timed`. Whatever
   * it throws is a finding.
   */
  receive(bytes: Bytes, timed: Stopwatch): void | Promise<void>;
  /** Throws unless what must always hold holds now. */
  check(): void;
  /** Figures that say what the run reached: packets that were understood, the largest size of a table. */
  figures(): Readonly<Record<string, number>>;
}
