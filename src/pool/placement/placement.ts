import { assert } from '../../base/assert.ts';
import { type Bytes, compareBytes, toHex } from '../../base/bytes.ts';
import { placementsCachedMax } from '../../base/limits.ts';
import { assignPartitions } from './assignment.ts';
import { partitionCount, quotasOf, usableUnitsOf } from './quotas.ts';
import { drawsOf, scoreOf } from './scores.ts';

export interface PlacementMember {
  readonly memberId: Bytes;
  /** Declared capacity, a whole number of units up to 2⁴⁰. */
  readonly capacityUnits: number;
}

/**
 * Which boxes hold which chunk: bounded Pareto rendezvous over 4,096 partitions (docs/formats.md, "Placement"). A
 * pure function of the members and their capacities, so that nothing about it is stored or agreed upon.
 */
export interface Placement {
  /** Boxes that hold each chunk: as asked for, or all of them where there are fewer. */
  readonly replicas: number;
  /** Units that can be stored, each `replicas` times, before the first box is full. */
  readonly usableUnits: number;
  /** 0–4095: the first 12 bits of the chunk's id. */
  partitionOf(chunkId: Bytes): number;
  /** Member ids of those who hold the chunk, lowest score first. */
  holders(chunkId: Bytes): readonly Bytes[];
  /** All member ids: the holders, then the alternates, lowest score first. */
  preference(chunkId: Bytes): readonly Bytes[];
}

const cache = new Map<string, Placement>();

/**
 * The placement of a pool, whatever order its members are given in. `replicas` from 1. A box without capacity holds
 * nothing, unless there are too few others: then it counts as having one unit, and `usableUnits` is 0.
 *
 * The map itself is made when it is first asked for, and shared by all who ask for the same members.
 */
export function computePlacement(members: readonly PlacementMember[], replicas: number): Placement {
  assert(Number.isSafeInteger(replicas) && replicas >= 1, 'a chunk is held by at least one box');
  const sorted = [...members].sort((a, b) => compareBytes(a.memberId, b.memberId));
  const key = `${replicas}:${sorted.map((member) => `${toHex(member.memberId)}=${member.capacityUnits}`).join()}`;
  const placement = cache.get(key) ?? new ParetoPlacement(sorted, Math.min(replicas, sorted.length));
  // Used last, forgotten last.
  cache.delete(key);
  cache.set(key, placement);
  if (cache.size > placementsCachedMax) cache.delete(cache.keys().next().value!);
  return placement;
}

class ParetoPlacement implements Placement {
  readonly replicas: number;
  readonly usableUnits: number;
  readonly #memberIds: readonly Bytes[];
  readonly #quotas: readonly number[];
  /** By partition, those that were asked for. */
  readonly #preferences: (readonly Bytes[] | undefined)[] = new Array(partitionCount);
  #map: { readonly draws: readonly Uint32Array[]; readonly holders: Uint16Array } | undefined;

  constructor(members: readonly PlacementMember[], replicas: number) {
    this.replicas = replicas;
    this.#memberIds = members.map(({ memberId }) => memberId);
    const units = members.map(({ capacityUnits }) => capacityUnits);
    const tooFew = units.filter((count) => count > 0).length < replicas;
    this.#quotas = quotasOf(tooFew ? units.map((count) => Math.max(count, 1)) : units, replicas);
    this.usableUnits = usableUnitsOf(units, this.#quotas);
  }

  partitionOf(chunkId: Bytes): number {
    return (chunkId[0]! << 4) | (chunkId[1]! >> 4);
  }

  holders(chunkId: Bytes): readonly Bytes[] {
    return this.#holderIndexes(this.partitionOf(chunkId)).map((index) => this.#memberIds[index]!);
  }

  preference(chunkId: Bytes): readonly Bytes[] {
    const partition = this.partitionOf(chunkId);
    this.#preferences[partition] ??= this.#preferenceIn(partition);
    return this.#preferences[partition];
  }

  #preferenceIn(partition: number): readonly Bytes[] {
    const holders = this.#holderIndexes(partition);
    const { draws } = this.#computed();
    const alternates = this.#quotas
      .map((quota, index) => {
        const draw = draws[index]![partition]!;
        return { index, draw, score: scoreOf(draw, quota) };
      })
      .filter(({ index }) => !holders.includes(index))
      .sort((a, b) => a.score - b.score || a.draw - b.draw || a.index - b.index);
    return [...holders, ...alternates.map(({ index }) => index)].map((index) => this.#memberIds[index]!);
  }

  #holderIndexes(partition: number): readonly number[] {
    const { holders } = this.#computed();
    return [...holders.subarray(partition * this.replicas, (partition + 1) * this.replicas)];
  }

  #computed() {
    if (this.#map === undefined) {
      const draws = this.#memberIds.map(drawsOf);
      const input = { draws, quotas: this.#quotas, replicas: this.replicas };
      this.#map = { draws, holders: assignPartitions(input) };
    }
    return this.#map;
  }
}
