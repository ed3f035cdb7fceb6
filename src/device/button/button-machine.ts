/**
 * What a press of the box's one button means. It acts when it is let go, so that a person sees by the lights how far it
 * is and can still let go early.
 */

/** `tap`: which box is this; `shutdown`; `reset-access`: names, addresses and PIN; `factory-reset`. */
export type ButtonDeed = 'tap' | 'shutdown' | 'reset-access' | 'factory-reset';

/** How far a press has come: the lights blink faster from one to the next. `held`: past a tap, short of a deed. */
export type PressStage = 'pressed' | 'held' | 'shutdown' | 'reset-access' | 'factory-reset' | 'stuck';

export interface ButtonState {
  /** Since when it is pressed, monotonic; undefined while it is not. */
  readonly sinceMs: number | undefined;
  /** It was pressed already when the box was switched on. */
  readonly fromStart: boolean;
}

export type ButtonEvent =
  /** How it stands when the program starts. */
  | { readonly type: 'start'; readonly pressed: boolean }
  | { readonly type: 'change'; readonly pressed: boolean };

/** Longer is no tap: a person who hesitates has begun to hold. */
export const tapMsMax = 1000;
export const shutdownMs = 5000;
export const resetAccessMs = 10_000;
export const factoryResetMs = 10_000;
/** Nobody holds a button for a minute: it is stuck, or something lies on it. */
export const stuckMs = 60_000;

export const buttonAtRest: ButtonState = { sinceMs: undefined, fromStart: false };

/** One event at monotonic `nowMs`: the new state, and what is to be done. */
export function stepButton(
  state: ButtonState,
  event: ButtonEvent,
  nowMs: number,
): { readonly state: ButtonState; readonly deed: ButtonDeed | undefined } {
  if (event.pressed) {
    // A press that is told twice began the first time.
    if (state.sinceMs !== undefined) return { state, deed: undefined };
    return { state: { sinceMs: nowMs, fromStart: event.type === 'start' }, deed: undefined };
  }
  return { state: buttonAtRest, deed: deedOf(stageAt(state, nowMs)) };
}

/** How far the press has come; undefined while there is none. */
export function stageAt({ sinceMs, fromStart }: ButtonState, nowMs: number): PressStage | undefined {
  if (sinceMs === undefined) return undefined;
  const heldMs = nowMs - sinceMs;
  if (heldMs >= stuckMs) return 'stuck';
  if (fromStart) return heldMs >= factoryResetMs ? 'factory-reset' : 'held';
  if (heldMs >= resetAccessMs) return 'reset-access';
  if (heldMs >= shutdownMs) return 'shutdown';
  return heldMs > tapMsMax ? 'held' : 'pressed';
}

/** When the stage changes next, monotonic; undefined while it is not pressed, or stuck. */
export function nextStageMs({ sinceMs, fromStart }: ButtonState, nowMs: number): number | undefined {
  if (sinceMs === undefined) return undefined;
  const thresholds = fromStart
    ? [factoryResetMs, stuckMs]
    : [tapMsMax + 1, shutdownMs, resetAccessMs, stuckMs];
  const next = thresholds.find((thresholdMs) => nowMs - sinceMs < thresholdMs);
  return next === undefined ? undefined : sinceMs + next;
}

function deedOf(stage: PressStage | undefined): ButtonDeed | undefined {
  switch (stage) {
    case 'pressed':
      return 'tap';
    case 'shutdown':
    case 'reset-access':
    case 'factory-reset':
      return stage;
    default:
      return undefined;
  }
}
