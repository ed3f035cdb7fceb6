import { assert } from '../../base/assert.ts';
import { partitionCount } from './quotas.ts';
import { scoreOf } from './scores.ts';

export interface AssignmentInput {
  /** Of each box, one draw a partition. */
  readonly draws: readonly Uint32Array[];
  /** Of each box; they sum to `replicas × partitionCount`. */
  readonly quotas: readonly number[];
  readonly replicas: number;
}

/** A holder that could give a partition to a box that has too few. */
interface Move {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** How much worse the score gets. */
  readonly cost: number;
}

/**
 * Who holds which partition, as indexes of boxes: partition p's are at [p × replicas, (p + 1) × replicas), lowest
 * score first. Each box holds exactly its quota, no partition twice.
 *
 * The boxes with the lowest scores come close to the quotas by themselves; what is missing is moved where it costs
 * the least score, so that a small change of the pool finds nearly the same moves again.
 */
export function assignPartitions(input: AssignmentInput): Uint16Array {
  return new Assignment(input).run();
}

class Assignment {
  readonly #input: AssignmentInput;
  readonly #scores: readonly Float64Array[];
  readonly #holders: Uint16Array;
  /** Partitions a box holds over its quota; below 0 when it has too few. */
  readonly #excess: Int32Array;

  constructor(input: AssignmentInput) {
    const { draws, quotas, replicas } = input;
    this.#input = input;
    this.#scores = draws.map((ofBox, box) => Float64Array.from(ofBox, (draw) => scoreOf(draw, quotas[box]!)));
    this.#holders = new Uint16Array(partitionCount * replicas);
    this.#excess = Int32Array.from(quotas, (quota) => -quota);
  }

  run(): Uint16Array {
    const { replicas } = this.#input;
    for (let partition = 0; partition < partitionCount; partition++) this.#choose(partition);
    for (let moves = this.#cheapestMoves(); moves.length > 0; moves = this.#cheapestMoves()) {
      for (const { partition, from, to } of moves) {
        // Moves before this one may have filled the taker, emptied the giver, or moved this very partition.
        if (this.#excess[from]! <= 0 || this.#excess[to]! >= 0 || this.#holds(partition, to)) continue;
        this.#replace(partition, from, to);
      }
    }
    this.#moveThroughOthers();
    for (let partition = 0; partition < partitionCount; partition++) {
      const holders = this.#holders.subarray(partition * replicas, (partition + 1) * replicas);
      holders.set([...holders].sort((a, b) => this.#compare(partition, a, b)));
    }
    return this.#holders;
  }

  /** The boxes of lowest score, kept sorted while going through all. */
  #choose(partition: number): void {
    const { quotas, replicas } = this.#input;
    const first = partition * replicas;
    let chosen = 0;
    for (let box = 0; box < quotas.length; box++) {
      let place = chosen;
      while (place > 0 && this.#compare(partition, box, this.#holders[first + place - 1]!) < 0) place--;
      if (place === replicas) continue;
      chosen = Math.min(chosen + 1, replicas);
      this.#holders.copyWithin(first + place + 1, first + place, first + chosen - 1);
      this.#holders[first + place] = box;
    }
    for (const box of this.#holders.subarray(first, first + replicas)) this.#excess[box]!++;
  }

  /** For each partition and each holder that has too many, the cheapest taker; cheapest moves first. */
  #cheapestMoves(): readonly Move[] {
    const takers = [...this.#excess.keys()].filter((box) => this.#excess[box]! < 0);
    const moves: Move[] = [];
    if (takers.length === 0) return moves;
    for (let partition = 0; partition < partitionCount; partition++) {
      const givers = this.#holdersOf(partition).filter((box) => this.#excess[box]! > 0);
      if (givers.length === 0) continue;
      const to = this.#cheapestTaker(partition, takers);
      if (to === undefined) continue;
      for (const from of givers) {
        moves.push({ partition, from, to, cost: this.#score(to, partition) - this.#score(from, partition) });
      }
    }
    return moves.sort((a, b) => a.cost - b.cost || a.partition - b.partition || a.from - b.from);
  }

  #cheapestTaker(partition: number, takers: readonly number[]): number | undefined {
    let best: number | undefined;
    for (const box of takers) {
      if (best !== undefined && this.#compare(partition, box, best) > 0) continue;
      if (!this.#holds(partition, box)) best = box;
    }
    return best;
  }

  /**
   * Where a box with too many holds nothing that one with too few could take, a third box passes on: it gets a
   * partition of the first and gives another to the second. Such a third one always exists: if it did not, each
   * partition of the first would be held by the second and by all holders of some partition that the second lacks,
   * which are more than there are replicas.
   */
  #moveThroughOthers(): void {
    for (const [to] of this.#excess.entries()) {
      while (this.#excess[to]! < 0) {
        const from = this.#excess.findIndex((excess) => excess > 0);
        assert(from !== -1 && this.#moveThrough(from, to), 'quotas can always be filled');
      }
    }
    assert(
      this.#excess.every((excess) => excess === 0),
      'each box holds its quota',
    );
  }

  #moveThrough(from: number, to: number): boolean {
    for (let passed = 0; passed < partitionCount; passed++) {
      if (this.#holds(passed, to)) continue;
      for (const through of this.#holdersOf(passed)) {
        const given = this.#partitionOfOneNotOfOther(from, through);
        if (given === undefined) continue;
        this.#replace(passed, through, to);
        this.#replace(given, from, through);
        return true;
      }
    }
    return false;
  }

  #partitionOfOneNotOfOther(one: number, other: number): number | undefined {
    for (let partition = 0; partition < partitionCount; partition++) {
      if (this.#holds(partition, one) && !this.#holds(partition, other)) return partition;
    }
    return undefined;
  }

  #replace(partition: number, from: number, to: number): void {
    const { replicas } = this.#input;
    const place = this.#holdersOf(partition).indexOf(from);
    assert(place !== -1 && !this.#holds(partition, to), 'a partition moves from a holder to another box');
    this.#holders[partition * replicas + place] = to;
    this.#excess[from]!--;
    this.#excess[to]!++;
  }

  #holdersOf(partition: number): Uint16Array {
    const { replicas } = this.#input;
    return this.#holders.subarray(partition * replicas, (partition + 1) * replicas);
  }

  #holds(partition: number, box: number): boolean {
    return this.#holdersOf(partition).includes(box);
  }

  #score(box: number, partition: number): number {
    return this.#scores[box]![partition]!;
  }

  /** Lower score first; of equals the lower draw, then the lower index. */
  #compare(partition: number, a: number, b: number): number {
    const { draws } = this.#input;
    return (
      this.#score(a, partition) - this.#score(b, partition) ||
      draws[a]![partition]! - draws[b]![partition]! ||
      a - b
    );
  }
}
