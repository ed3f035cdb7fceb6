import { pairingLockMs, pairingTriesMax, strangerLifetimeMs } from '../../base/limits.ts';

/** What a code lets in: the first desktop to make this box a pool's, or one more desktop of its pool. */
export type CodePurpose = 'claim' | 'login';

/**
 * Who may try a box's code, and how often; pure. A try is spent when an exchange *starts*: the box's answer already
 * lets the other side test one guess, whether or not it goes on. Only a finish that proves the code gives it back.
 */
export interface PairingState {
  /** Absent: there is no code, nobody can pair. */
  readonly purpose?: CodePurpose;
  /** Monotonic time at which the code ends, where it does. */
  readonly expiresAtMs?: number;
  /** Exchanges that did not prove the code since it was made, or since one did. */
  readonly failed: number;
  readonly open: readonly OpenExchange[];
  readonly lockedUntilMs?: number;
}

interface OpenExchange {
  readonly exchange: string;
  readonly peer: string;
  readonly deadlineMs: number;
}

export type PairingEvent =
  | {
      readonly type: 'code made';
      readonly purpose: CodePurpose;
      readonly lifetimeMs?: number;
      /** Tries already spent on it, before a restart. */
      readonly failed?: number;
    }
  | { readonly type: 'code dropped' }
  /** A box that was locked when it stopped locks again when it starts. */
  | { readonly type: 'lock' }
  | { readonly type: 'start'; readonly exchange: string; readonly peer: string }
  | { readonly type: 'finish'; readonly exchange: string; readonly peer: string; readonly proven: boolean }
  | { readonly type: 'tick' };

export type PairingAction =
  /** Answer the request that the event was. */
  | { readonly type: 'accept' }
  | { readonly type: 'refuse'; readonly refusal: PairingRefusal }
  /** These exchanges can no longer finish. */
  | { readonly type: 'forget'; readonly exchanges: readonly string[] }
  /** Make another claim code. */
  | { readonly type: 'renew' }
  /** The code is void, and none takes its place. */
  | { readonly type: 'void' }
  /** What must outlive a restart (`failed`, whether locked) is different now. */
  | { readonly type: 'keep' };

export type PairingRefusal =
  | { readonly code: 'PAIRING_CODE_WRONG'; readonly triesLeft: number }
  | { readonly code: 'PAIRING_LOCKED'; readonly lockedForMs: number }
  /** As many exchanges are open as there are tries. */
  | { readonly code: 'PAIRING_BUSY' }
  | { readonly code: 'PAIRING_NO_CODE' }
  /** Never started, already finished, too old, or another peer's. */
  | { readonly code: 'PAIRING_EXCHANGE_UNKNOWN' };

export interface PairingStep {
  readonly state: PairingState;
  readonly actions: readonly PairingAction[];
}

export const pairingAtStart: PairingState = { failed: 0, open: [] };

/** One event at monotonic time `now` (milliseconds). What has run out by then runs out first. */
export function stepPairing(before: PairingState, event: PairingEvent, now: number): PairingStep {
  const { state, actions } = expire(before, now);
  const next = stepEvent(state, event, now);
  return { state: next.state, actions: [...actions, ...next.actions] };
}

/** Monotonic time of the next thing that runs out, or undefined. */
export function nextDeadlineMs({ expiresAtMs, lockedUntilMs, open }: PairingState): number | undefined {
  const deadlines = [expiresAtMs, lockedUntilMs, ...open.map(({ deadlineMs }) => deadlineMs)];
  const times = deadlines.filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

export function triesLeftOf({ failed, open }: PairingState): number {
  return Math.max(0, pairingTriesMax - failed - open.length);
}

function stepEvent(state: PairingState, event: PairingEvent, now: number): PairingStep {
  switch (event.type) {
    case 'tick':
      return { state, actions: [] };
    case 'code made': {
      const { purpose, lifetimeMs, failed = 0 } = event;
      const { state: cleared, actions } = dropCode(state);
      const made = { ...cleared, purpose, failed };
      return { state: lifetimeMs === undefined ? made : { ...made, expiresAtMs: now + lifetimeMs }, actions };
    }
    case 'code dropped':
      return dropCode(state);
    case 'lock':
      return { state: { ...state, failed: 0, lockedUntilMs: now + pairingLockMs }, actions: [] };
    case 'start':
      return start(state, event, now);
    case 'finish':
      return finish(state, event, now);
  }
}

function start(
  state: PairingState,
  { exchange, peer }: { readonly exchange: string; readonly peer: string },
  now: number,
): PairingStep {
  const barred = barredBy(state, now);
  if (barred !== undefined) return refuse(state, barred);
  if (triesLeftOf(state) === 0) return refuse(state, { code: 'PAIRING_BUSY' });
  const open = [...state.open, { exchange, peer, deadlineMs: now + strangerLifetimeMs }];
  return { state: { ...state, open }, actions: [{ type: 'accept' }] };
}

function finish(
  state: PairingState,
  { exchange, peer, proven }: { readonly exchange: string; readonly peer: string; readonly proven: boolean },
  now: number,
): PairingStep {
  const barred = barredBy(state, now);
  if (barred !== undefined) return refuse(state, barred);
  const found = state.open.find((open) => open.exchange === exchange && open.peer === peer);
  if (found === undefined) return refuse(state, { code: 'PAIRING_EXCHANGE_UNKNOWN' });
  const rest = { ...state, open: state.open.filter((open) => open !== found) };
  if (!proven) {
    const failed = fail(rest, 1, now);
    const refusal: PairingRefusal = barredBy(failed.state, now) ?? {
      code: 'PAIRING_CODE_WRONG',
      triesLeft: triesLeftOf(failed.state),
    };
    return { state: failed.state, actions: [...failed.actions, { type: 'refuse', refusal }] };
  }
  // A login code is used once; a claim code lives until a claim succeeds, which the shell says by dropping it.
  if (state.purpose === 'login') {
    const { state: spent, actions } = dropCode(rest);
    return { state: spent, actions: [{ type: 'void' }, ...actions, { type: 'accept' }] };
  }
  const kept: readonly PairingAction[] = state.failed === 0 ? [] : [{ type: 'keep' }];
  return { state: { ...rest, failed: 0 }, actions: [...kept, { type: 'accept' }] };
}

/** What has run out by `now`: exchanges that were left count as wrong codes. */
function expire(before: PairingState, now: number): PairingStep {
  let state = before;
  const actions: PairingAction[] = [];
  if (state.lockedUntilMs !== undefined && state.lockedUntilMs <= now) {
    const { lockedUntilMs: _, ...unlocked } = state;
    state = unlocked;
    actions.push({ type: 'keep' });
  }
  if (state.expiresAtMs !== undefined && state.expiresAtMs <= now) {
    const dropped = dropCode(state);
    state = dropped.state;
    actions.push({ type: 'void' }, ...dropped.actions);
  }
  const late = state.open.filter(({ deadlineMs }) => deadlineMs <= now);
  if (late.length > 0) {
    const open = state.open.filter((exchange) => !late.includes(exchange));
    const failed = fail({ ...state, open }, late.length, now);
    state = failed.state;
    actions.push({ type: 'forget', exchanges: late.map(({ exchange }) => exchange) }, ...failed.actions);
  }
  return { state, actions };
}

/** `count` more exchanges did not prove the code: after the fifth pairing locks, and the code is void. */
function fail(state: PairingState, count: number, now: number): PairingStep {
  const failed = state.failed + count;
  if (failed < pairingTriesMax) return { state: { ...state, failed }, actions: [{ type: 'keep' }] };
  const { state: dropped, actions } = dropCode(state);
  return {
    state: { ...dropped, lockedUntilMs: now + pairingLockMs },
    actions: [...actions, { type: state.purpose === 'claim' ? 'renew' : 'void' }],
  };
}

function dropCode({ open, lockedUntilMs }: PairingState): PairingStep {
  const state = { failed: 0, open: [], ...(lockedUntilMs !== undefined && { lockedUntilMs }) };
  if (open.length === 0) return { state, actions: [] };
  return { state, actions: [{ type: 'forget', exchanges: open.map(({ exchange }) => exchange) }] };
}

function barredBy({ lockedUntilMs, purpose }: PairingState, now: number): PairingRefusal | undefined {
  if (lockedUntilMs !== undefined) return { code: 'PAIRING_LOCKED', lockedForMs: lockedUntilMs - now };
  return purpose === undefined ? { code: 'PAIRING_NO_CODE' } : undefined;
}

function refuse(state: PairingState, refusal: PairingRefusal): PairingStep {
  return { state, actions: [{ type: 'refuse', refusal }] };
}
