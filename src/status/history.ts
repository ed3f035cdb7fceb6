import { type Condition, type ConditionCode, conditionKey, type Severity, severities } from './condition.ts';

/** What became of a condition. `worse` and `better`: its severity changed. */
export type StatusChange = 'raised' | 'worse' | 'better' | 'cleared' | 'acknowledged';

export interface StatusEvent {
  /** Wall clock. */
  readonly atMs: number;
  readonly change: StatusChange;
  readonly code: ConditionCode;
  readonly subject: string | null;
  readonly severity: Severity;
  readonly message: string;
  /** How often it came and went in quick succession, told as one event. */
  readonly times: number;
}

/** What the history is folded from and to; plain data. */
export interface HistoryState {
  /** Oldest first. */
  readonly events: readonly StatusEvent[];
  /** Conditions that hold now, by key. */
  readonly open: ReadonlyMap<string, Condition>;
  /** Conditions that ended, by key, with when on the monotonic clock: coming back soon is no news. */
  readonly ended: ReadonlyMap<string, number>;
}

export const emptyHistory: HistoryState = { events: [], open: new Map(), ended: new Map() };

/** Events that are kept: weeks of a troubled box, and less than 200 KiB on disk. */
export const historyEventsMax = 500;

/** A condition that comes back within this is the same trouble still: its event counts on, no new one is added. */
export const flapMs = 60_000;

/**
 * Takes in the conditions that hold at `atMs`, which is written down; durations are told by `monotonicMs`, since the wall
 * clock of a box may begin in 1970. The same state comes back when nothing changed.
 */
export function stepHistory(
  state: HistoryState,
  conditions: readonly Condition[],
  atMs: number,
  monotonicMs = atMs,
): HistoryState {
  const now = new Map(conditions.map((condition) => [conditionKey(condition), condition]));
  const ended = new Map([...state.ended].filter(([, endedMs]) => monotonicMs - endedMs < flapMs));
  let { events } = state;
  for (const [key, condition] of now) {
    const before = state.open.get(key);
    if (before === undefined && ended.delete(key)) events = countOn(events, condition, atMs);
    else if (before === undefined) events = add(events, eventOf('raised', condition, atMs));
    else if (before.severity !== condition.severity)
      events = add(events, eventOf(isWorse(condition, before) ? 'worse' : 'better', condition, atMs));
  }
  for (const [key, condition] of state.open) {
    if (now.has(key)) continue;
    ended.set(key, monotonicMs);
    events = add(events, eventOf('cleared', condition, atMs));
  }
  if (events === state.events && now.size === state.open.size && ended.size === state.ended.size) {
    return { ...state, open: now };
  }
  return { events, open: now, ended };
}

/** A person has seen `condition`. */
export function noteAcknowledged(state: HistoryState, condition: Condition, atMs: number): HistoryState {
  return { ...state, events: add(state.events, eventOf('acknowledged', condition, atMs)) };
}

function isWorse(condition: Condition, before: Condition): boolean {
  return severities.indexOf(condition.severity) > severities.indexOf(before.severity);
}

function eventOf(
  change: StatusChange,
  { code, subject, severity, message }: Condition,
  atMs: number,
): StatusEvent {
  return { atMs, change, code, subject, severity, message, times: 1 };
}

function add(events: readonly StatusEvent[], event: StatusEvent): readonly StatusEvent[] {
  return [...events, event].slice(-historyEventsMax);
}

/** It came back soon after it went: its event of raising is counted on, and the one that it had ended is taken back. */
function countOn(events: readonly StatusEvent[], condition: Condition, atMs: number): readonly StatusEvent[] {
  const key = conditionKey(condition);
  const cleared = events.findLastIndex((event) => event.change === 'cleared' && conditionKey(event) === key);
  const without = cleared === -1 ? events : events.toSpliced(cleared, 1);
  const raised = without.findLastIndex((event) => event.change === 'raised' && conditionKey(event) === key);
  const event = without[raised];
  if (event === undefined) return add(without, eventOf('raised', condition, atMs));
  const counted = { ...event, message: condition.message, times: event.times + 1 };
  return without.with(raised, counted);
}
