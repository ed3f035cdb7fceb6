/** RFC 6762 §8.4: nobody changes the data of records more often than ten times a minute. */
const updatesPerWindow = 10;
const windowMs = 60_000;

/** When changes were announced: the latest ten. */
export type Updates = readonly number[];

/** When the next change may be announced. */
export function updateDueMs(updates: Updates, now: number): number {
  return updates.length < updatesPerWindow ? now : Math.max(now, updates[0]! + windowMs);
}

export function withUpdate(updates: Updates, now: number): Updates {
  return [...updates, now].slice(-updatesPerWindow);
}
