/** Capacity is declared in units of this many bytes. */
export const capacityUnitBytes = 2 ** 30;

/** The most a member may declare, 2⁴⁰ units: sums over all members stay exact. */
export const capacityUnitsMax = 2 ** 40;

/**
 * Rounds down to two significant binary digits (1, 2, 3, 4, 6, 8, 12, …), so that a jitter in free space moves
 * nothing. `units` from 0.
 */
export function quantiseUnits(units: number): number {
  const whole = Math.min(Math.floor(units), capacityUnitsMax);
  if (!(whole >= 1)) return 0;
  const bits = BigInt(whole).toString(2).length;
  const step = 2 ** Math.max(0, bits - 2);
  return Math.floor(whole / step) * step;
}
