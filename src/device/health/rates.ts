/** A total as it was at one moment. */
interface Sample {
  readonly atMs: number;
  readonly total: number;
}

/** How much totals that only grow have grown within the last `windowMs`; pure. By what they are of. */
export interface Rates {
  readonly windowMs: number;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export function noRates(windowMs: number): Rates {
  return { windowMs, samples: new Map() };
}

/**
 * Takes in the totals at `nowMs` (monotonic). One that has become smaller began anew, as that of a disk that was attached
 * again; one that is not told any more is forgotten.
 */
export function noteTotals(
  { windowMs, samples }: Rates,
  totals: ReadonlyMap<string, number>,
  nowMs: number,
): Rates {
  const next = new Map<string, readonly Sample[]>();
  for (const [name, total] of totals) {
    const before = samples.get(name) ?? [];
    const fresh = before.filter(({ atMs }) => atMs > nowMs - windowMs);
    // The last one before the window says where the window began.
    const start = before.filter(({ atMs }) => atMs <= nowMs - windowMs).slice(-1);
    const known = [...start, ...fresh];
    const began = (known.at(-1)?.total ?? total) > total;
    const last = known.at(-1);
    const same = last?.total === total && known.length > 1;
    next.set(name, began ? [{ atMs: nowMs, total }] : same ? known : [...known, { atMs: nowMs, total }]);
  }
  return { windowMs, samples: next };
}

/** What has been added within the window. What was there when it was first looked at does not count. */
export function rateOf({ samples }: Rates, name: string): number {
  const known = samples.get(name);
  return known === undefined ? 0 : known.at(-1)!.total - known[0]!.total;
}
