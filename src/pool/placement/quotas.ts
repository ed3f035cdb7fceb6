/** How many of the map's partitions there are: chunk ids are divided by their first 12 bits. */
export const partitionCount = 4096;

/**
 * How many partitions each box is to hold, so that all are filled at the same time: the box's share of the usable
 * capacity T, which is the largest T with Σ min(cᵢ, T) ≥ R·T (no box can hold a partition twice, so what a box has
 * above T cannot be used). Rounded down, then the partitions left over go, one by one, to the box that is then least
 * filled; hence no box is ever more than one partition of the biggest boxes above its share.
 *
 * `capacities` are whole numbers of units, at least `replicas` of them above 0; the result sums to
 * `replicas × partitionCount`, none above `partitionCount`. Exact: the same on every processor.
 */
export function quotasOf(capacities: readonly number[], replicas: number): readonly number[] {
  const { capped, sharedUnits } = cappedBoxes(capacities, replicas);
  const partitions = BigInt(partitionCount);
  const copiesShared = BigInt(replicas - capped.size);
  const quotas = capacities.map((units, index) =>
    capped.has(index) ? partitionCount : Number((BigInt(units) * copiesShared * partitions) / sharedUnits),
  );
  let left = replicas * partitionCount - quotas.reduce((sum, quota) => sum + quota, 0);
  for (; left > 0; left--) quotas[leastFilled(quotas, capacities)]!++;
  return quotas;
}

/** Units that can be stored `replicas` times before the first box is full; exact, rounded down. */
export function usableUnitsOf(capacities: readonly number[], quotas: readonly number[]): number {
  let usable: bigint | undefined;
  for (const [index, quota] of quotas.entries()) {
    if (quota === 0) continue;
    const units = (BigInt(capacities[index]!) * BigInt(partitionCount)) / BigInt(quota);
    if (usable === undefined || units < usable) usable = units;
  }
  return Number(usable ?? 0n);
}

/** The boxes that have T or more, so that they hold everything, and the sum of the others' units. */
function cappedBoxes(capacities: readonly number[], replicas: number) {
  const biggestFirst = capacities.map((_, index) => index).sort((a, b) => capacities[b]! - capacities[a]!);
  const capped = new Set<number>();
  let sharedUnits = capacities.reduce((sum, units) => sum + BigInt(units), 0n);
  for (const index of biggestFirst) {
    const units = BigInt(capacities[index]!);
    if (capped.size === replicas || units * BigInt(replicas - capped.size) <= sharedUnits) break;
    capped.add(index);
    sharedUnits -= units;
  }
  return { capped, sharedUnits: sharedUnits === 0n ? 1n : sharedUnits };
}

/** The box for which one partition more is the smallest part of what it has; of equals the first. */
function leastFilled(quotas: readonly number[], capacities: readonly number[]): number {
  let best = -1;
  for (const [index, quota] of quotas.entries()) {
    if (quota >= partitionCount || capacities[index] === 0) continue;
    if (best === -1) best = index;
    // (quota + 1) / units, compared cross-multiplied: below 2¹³ · 2⁴⁰, exact in a double.
    else if ((quota + 1) * capacities[best]! < (quotas[best]! + 1) * capacities[index]!) best = index;
  }
  return best;
}
