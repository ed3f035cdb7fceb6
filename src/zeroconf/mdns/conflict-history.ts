/** RFC 6762 §8.1: after fifteen conflicts within ten seconds, five seconds pass before each further attempt. */
const windowMs = 10_000;
const conflictsBeforeDelay = 15;
const delayMs = 5000;

/** Whether conflicts about names come too fast on one link. */
export interface ConflictHistory {
  /** The latest fifteen. */
  readonly recentMs: readonly number[];
  /** From fifteen within ten seconds until ten seconds pass without any. */
  readonly isFlood: boolean;
}

export const noConflicts: ConflictHistory = { recentMs: [], isFlood: false };

export function withConflict(history: ConflictHistory, now: number): ConflictHistory {
  const recentMs = [...history.recentMs, now].slice(-conflictsBeforeDelay);
  const isFast = recentMs.length === conflictsBeforeDelay && now - recentMs[0]! < windowMs;
  return { recentMs, isFlood: isFast || goesOn(history, now) };
}

/** How long to wait before the next name is probed for. */
export function attemptDelayMs(history: ConflictHistory, now: number): number {
  return goesOn(history, now) ? delayMs : 0;
}

function goesOn({ isFlood, recentMs }: ConflictHistory, now: number): boolean {
  return isFlood && now - recentMs.at(-1)! < windowMs;
}
