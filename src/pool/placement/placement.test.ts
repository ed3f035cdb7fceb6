import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, compareBytes, toHex } from '../../base/bytes.ts';
import { SeededEntropy } from '../../testing/seeded-entropy.ts';
import { quantiseUnits } from '../membership/capacity.ts';
import { computePlacement, type Placement, type PlacementMember } from './placement.ts';
import { partitionCount, quotasOf } from './quotas.ts';

const partitions: readonly Bytes[] = Array.from({ length: partitionCount }, (_, partition) =>
  Uint8Array.of(partition >> 4, (partition & 15) << 4),
);

/** Boxes with capacities spread by `spread`, evenly on a logarithmic scale. */
function randomPool(seed: number, count: number, spread = 20): readonly PlacementMember[] {
  const entropy = new SeededEntropy(seed);
  return Array.from({ length: count }, () => ({
    memberId: entropy.bytes(32),
    capacityUnits: Math.floor(500 * spread ** (entropy.below(1000) / 1000)),
  }));
}

/** The largest T with Σ min(cᵢ, T) ≥ R·T, found by bisection, apart from how the code finds it. */
function reachable(capacities: readonly number[], replicas: number): number {
  let [low, high] = [0, capacities.reduce((total, units) => total + units, 0)];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const sum = capacities.reduce((total, units) => total + Math.min(units, middle), 0);
    if (sum >= replicas * middle) low = middle;
    else high = middle;
  }
  return low;
}

function countsOf(placement: Placement): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of partitions) {
    for (const holder of placement.holders(id).map(toHex)) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  }
  return counts;
}

const mapOf = (placement: Placement) => partitions.map((id) => placement.holders(id).map(toHex).join());

const pools = fc.record({
  seed: fc.nat(2 ** 31 - 1),
  count: fc.integer({ min: 3, max: 23 }),
  replicas: fc.constantFrom(2, 3),
});

test('every partition has as many distinct holders as asked for, and every box exactly its quota', () => {
  const property = fc.property(pools, ({ seed, count, replicas }) => {
    // Sorted, since of boxes with equal capacities the first gets the partition left over.
    const members = [...randomPool(seed, count)].sort((a, b) => compareBytes(a.memberId, b.memberId));
    const placement = computePlacement(members, replicas);
    for (const id of partitions) assert.equal(new Set(placement.holders(id).map(toHex)).size, replicas);
    const counts = countsOf(placement);
    const quotas = quotasOf(
      members.map(({ capacityUnits }) => capacityUnits),
      replicas,
    );
    assert.deepEqual(
      members.map(({ memberId }) => counts.get(toHex(memberId)) ?? 0),
      quotas,
    );
  });
  fc.assert(property, { numRuns: 15 });
});

test('what is usable is within 1% of what is reachable, for pools of 3–23 boxes spread by 20×', () => {
  const property = fc.property(pools, ({ seed, count, replicas }) => {
    const capacities = randomPool(seed, count).map(({ capacityUnits }) => capacityUnits);
    const { usableUnits } = computePlacement(randomPool(seed, count), replicas);
    const best = reachable(capacities, replicas);
    assert.ok(usableUnits <= best && usableUnits >= 0.99 * best - 1, `${usableUnits} of ${best}`);
  });
  fc.assert(property, { numRuns: 300 });
});

test('what is usable is the true number: no box is full before that, one is just after', () => {
  const members = randomPool(3, 9);
  const placement = computePlacement(members, 2);
  const counts = countsOf(placement);
  const fillOf = (units: number) =>
    Math.max(
      ...members.map(
        (member) =>
          ((counts.get(toHex(member.memberId)) ?? 0) * units) / partitionCount / member.capacityUnits,
      ),
    );
  assert.ok(fillOf(placement.usableUnits) <= 1);
  assert.ok(fillOf(placement.usableUnits + 1) > 1);
});

test('a join or a leave moves at most 1.35 times the least possible (median)', () => {
  for (const replicas of [2, 3]) {
    const ratios: number[] = [];
    for (let seed = 0; seed < 10; seed++) {
      const members = randomPool(seed, 4 + 2 * seed);
      const small = computePlacement(members.slice(1), replicas);
      const large = computePlacement(members, replicas);
      ratios.push(movedRatio(small, large), movedRatio(large, small));
    }
    const median = ratios.sort((a, b) => a - b)[ratios.length >> 1]!;
    assert.ok(median >= 1 && median <= 1.35, `R = ${replicas}: ${median}`);
  }
});

/** Copies that have to be made, over the fewest that the change of quotas needs. */
function movedRatio(before: Placement, after: Placement): number {
  const [countsBefore, countsAfter] = [countsOf(before), countsOf(after)];
  let moved = 0;
  for (const id of partitions) {
    const had = before.holders(id).map(toHex);
    for (const holder of after.holders(id).map(toHex)) if (!had.includes(holder)) moved++;
  }
  let least = 0;
  for (const [id, count] of countsAfter) least += Math.max(0, count - (countsBefore.get(id) ?? 0));
  return moved / least;
}

test('the order in which members are given does not matter', () => {
  const property = fc.property(fc.nat(1000), fc.integer({ min: 3, max: 9 }), (seed, count) => {
    const members = randomPool(seed, count);
    const draws = new SeededEntropy(seed + 1);
    const shuffled = [...members]
      .map((member) => ({ member, key: draws.below(2 ** 30) }))
      .sort((a, b) => a.key - b.key)
      .map(({ member }) => member);
    assert.deepEqual(mapOf(computePlacement(shuffled, 2)), mapOf(computePlacement(members, 2)));
  });
  fc.assert(property, { numRuns: 10 });
});

test('a map never changes: boxes of different versions must agree', () => {
  const members = [1, 2, 3, 4, 5].map((byte) => ({
    memberId: new Uint8Array(32).fill(byte),
    capacityUnits: byte * 128,
  }));
  const placement = computePlacement(members, 2);
  const first = (id: Bytes) =>
    placement
      .preference(id)
      .map((memberId) => memberId[0])
      .join('');
  assert.deepEqual(
    [0, 1, 1000, 2000, 3000, 4095].map((partition) => first(partitions[partition]!)),
    ['45231', '45321', '53412', '51432', '43512', '25431'],
  );
});

test('a jitter of free space within the quantisation moves nothing', () => {
  const pool = (jitter: number) =>
    randomPool(7, 6).map(({ memberId }, index) => ({
      memberId,
      capacityUnits: quantiseUnits(1024 * (index + 1) + jitter),
    }));
  assert.deepEqual(mapOf(computePlacement(pool(0), 2)), mapOf(computePlacement(pool(200), 2)));
});

test('where there are fewer boxes than replicas, all hold everything', () => {
  const members = randomPool(1, 2);
  const placement = computePlacement(members, 3);
  assert.equal(placement.replicas, 2);
  assert.equal(placement.usableUnits, Math.min(...members.map(({ capacityUnits }) => capacityUnits)));
  for (const id of partitions.slice(0, 50)) assert.equal(placement.holders(id).length, 2);
  const alone = computePlacement(members.slice(0, 1), 2);
  assert.deepEqual(alone.holders(partitions[9]!), [members[0]!.memberId]);
  assert.equal(alone.usableUnits, members[0]!.capacityUnits);
});

test('a pool without boxes has no holders', () => {
  const placement = computePlacement([], 2);
  assert.deepEqual(
    [placement.replicas, placement.usableUnits, placement.holders(partitions[0]!)],
    [0, 0, []],
  );
  assert.deepEqual(placement.preference(partitions[0]!), []);
});

test('a box without capacity holds nothing, except where there are too few others', () => {
  const [a, b, c] = randomPool(1, 3) as [PlacementMember, PlacementMember, PlacementMember];
  const empty = { memberId: c.memberId, capacityUnits: 0 };
  const three = computePlacement([a, b, empty], 2);
  assert.equal(countsOf(three).get(toHex(empty.memberId)), undefined);
  assert.deepEqual(three.preference(partitions[5]!)[2], empty.memberId);
  const two = computePlacement([a, empty], 2);
  assert.equal(countsOf(two).get(toHex(empty.memberId)), partitionCount);
  assert.equal(two.usableUnits, 0);
  const none = computePlacement(
    [a, b, c].map(({ memberId }) => ({ memberId, capacityUnits: 0 })),
    2,
  );
  for (const id of partitions) assert.equal(new Set(none.holders(id).map(toHex)).size, 2);
});

test('extreme capacities are filled too: one giant, many dwarfs, and boxes just short of holding everything', () => {
  const cases: readonly (readonly number[])[] = [
    [2 ** 40, 1, 1, 1],
    [1000, 999, 1],
    [1000, 1000, 1],
    [1000, 999, 3, 2, 1],
    [5000, 4999, 4998, 2],
    [1, 1, 1, 1, 1],
    [2 ** 40, 2 ** 40, 2 ** 40],
    [4096, 4095, 4094, 1, 1, 1],
  ];
  for (const capacities of cases) {
    for (const replicas of [1, 2, 3]) {
      const members = capacities.map((capacityUnits, index) => ({
        memberId: new Uint8Array(32).fill(index + 1),
        capacityUnits,
      }));
      const counts = countsOf(computePlacement(members, replicas));
      const held = members.map(({ memberId }) => counts.get(toHex(memberId)) ?? 0);
      assert.deepEqual(held, quotasOf(capacities, replicas), `${capacities} R = ${replicas}`);
    }
  }
});

test('preference names every box once, holders first', () => {
  const placement = computePlacement(randomPool(5, 7), 3);
  for (const id of partitions.slice(0, 200)) {
    const preference = placement.preference(id).map(toHex);
    assert.equal(new Set(preference).size, 7);
    assert.deepEqual(preference.slice(0, 3), placement.holders(id).map(toHex));
  }
});

test('a chunk’s partition is the first 12 bits of its id', () => {
  const placement = computePlacement(randomPool(1, 3), 2);
  assert.equal(placement.partitionOf(Uint8Array.of(0xab, 0xcd, 0xef)), 0xabc);
});

test('the same members give the very same map, made once', () => {
  assert.equal(computePlacement(randomPool(1, 4), 2), computePlacement([...randomPool(1, 4)].reverse(), 2));
  assert.notEqual(computePlacement(randomPool(1, 4), 2), computePlacement(randomPool(1, 4), 3));
});

test('quotas sum to all copies, and no box holds a partition twice', () => {
  const capacities = fc.array(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 3, maxLength: 64 });
  fc.assert(
    fc.property(capacities, fc.integer({ min: 1, max: 3 }), (units, replicas) => {
      const quotas = quotasOf(units, replicas);
      assert.equal(
        quotas.reduce((sum, quota) => sum + quota, 0),
        replicas * partitionCount,
      );
      assert.ok(quotas.every((quota) => quota >= 0 && quota <= partitionCount));
    }),
  );
});
