/** How many counters below the highest are told apart; below that, all count as seen. */
const windowSize = 64;

/**
 * Which counters of one session have been seen (RFC 4303 §3.4.3), and how many never came. Starts with the first one
 * heard: of what was before that nothing is known.
 */
export interface ReplayWindow {
  readonly first: number;
  readonly highest: number;
  /** Bit n: `highest - n` has been seen. */
  readonly seen: bigint;
  readonly received: number;
}

export function openWindow(counter: number): ReplayWindow {
  return { first: counter, highest: counter, seen: 1n, received: 1 };
}

/** `old`: so far back that nobody knows whether it has been seen, in the window or before this box listened. */
export function lookUpCounter(
  { first, highest, seen }: ReplayWindow,
  counter: number,
): 'new' | 'seen' | 'old' {
  if (counter > highest) return 'new';
  if (counter < first) return 'old';
  const age = highest - counter;
  if (age >= windowSize) return 'old';
  return ((seen >> BigInt(age)) & 1n) === 1n ? 'seen' : 'new';
}

/** The window after a `new` counter; call it only for what has proved to be authentic. */
export function markCounter(window: ReplayWindow, counter: number): ReplayWindow {
  const { first, highest, seen, received } = window;
  const isHighest = counter > highest;
  const step = isHighest ? Math.min(counter - highest, windowSize) : 0;
  const shifted = BigInt.asUintN(windowSize, seen << BigInt(step));
  return {
    first,
    highest: Math.max(highest, counter),
    seen: isHighest ? shifted | 1n : shifted | (1n << BigInt(highest - counter)),
    received: received + 1,
  };
}

/** Counters between the first and the highest that have not come; those still on their way are among them. */
export function lostCount({ first, highest, received }: ReplayWindow): number {
  return highest - first + 1 - received;
}
