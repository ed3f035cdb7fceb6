/**
 * What a press of the box's one button means. It acts when it is let go, so that a person sees by the lights how far it
 * is and can still let go early.
 *
 * Time counts only as far as somebody looked and saw it pressed: a program that was held up for seconds, or an edge that
 * was lost, makes no shutdown of a tap.
 */

/** `tap`: which box is this; `shutdown`; `reset-access`: names, addresses and PIN; `factory-reset`. */
export type ButtonDeed = 'tap' | 'shutdown' | 'reset-access' | 'factory-reset';

/** How far a press has come: the lights blink faster from one to the next. `held`: past a tap, short of a deed. */
export type PressStage = 'pressed' | 'held' | 'shutdown' | 'reset-access' | 'factory-reset' | 'stuck';

/**
 * `press`: it was seen to begin; `power-on`: it was pressed already when the box was switched on; `earlier`: when the
 * program started for another reason, after a crash perhaps. What such a press was to mean nobody knows: it means nothing.
 */
type PressOrigin = 'press' | 'power-on' | 'earlier';

export interface ButtonState {
  /** Since when it is pressed, monotonic; undefined while it is not. */
  readonly sinceMs: number | undefined;
  readonly origin: PressOrigin;
  /** How long it had been pressed when it was last seen so by a look. */
  readonly seenMs: number;
}

export type ButtonEvent =
  /** How it stands when the program starts; `atPowerOn`: it is the first start since the box was switched on. */
  | { readonly type: 'start'; readonly pressed: boolean; readonly atPowerOn: boolean }
  | { readonly type: 'change'; readonly pressed: boolean }
  /** How it stands when a stage may have been reached ({@link nextStageMs}). */
  | { readonly type: 'look'; readonly pressed: boolean };

/** Longer is no tap: a person who hesitates has begun to hold. */
export const tapMsMax = 1000;
export const shutdownMs = 5000;
export const resetAccessMs = 10_000;
export const factoryResetMs = 10_000;
/** Nobody holds a button for a minute: it is stuck, or something lies on it. */
export const stuckMs = 60_000;

/** At each the press means something else. */
const thresholdsMs: Readonly<Record<PressOrigin, readonly number[]>> = {
  press: [tapMsMax + 1, shutdownMs, resetAccessMs, stuckMs],
  'power-on': [factoryResetMs, stuckMs],
  earlier: [stuckMs],
};

export const buttonAtRest: ButtonState = { sinceMs: undefined, origin: 'press', seenMs: 0 };

/** One event at monotonic `nowMs`: the new state, and what is to be done. */
export function stepButton(
  state: ButtonState,
  event: ButtonEvent,
  nowMs: number,
): { readonly state: ButtonState; readonly deed: ButtonDeed | undefined } {
  if (!event.pressed) return { state: buttonAtRest, deed: deedOf(stageOf(state)) };
  // One that is to mean nothing does so until it is seen let go.
  if (state.sinceMs !== undefined && (event.type === 'look' || state.origin === 'earlier')) {
    return { state: { ...state, seenMs: nowMs - state.sinceMs }, deed: undefined };
  }
  // Pressed while it was pressed: that it was let go between was not told, so this is another time.
  return { state: { sinceMs: nowMs, origin: originOf(event), seenMs: 0 }, deed: undefined };
}

function originOf(event: ButtonEvent): PressOrigin {
  if (event.type !== 'start') return 'press';
  return event.atPowerOn ? 'power-on' : 'earlier';
}

/** How far the press has come, as was seen; undefined while there is none, or one that means nothing. */
export function stageOf({ sinceMs, origin, seenMs }: ButtonState): PressStage | undefined {
  if (sinceMs === undefined) return undefined;
  if (seenMs >= stuckMs) return 'stuck';
  if (origin === 'earlier') return undefined;
  if (origin === 'power-on') return seenMs >= factoryResetMs ? 'factory-reset' : 'held';
  if (seenMs >= resetAccessMs) return 'reset-access';
  if (seenMs >= shutdownMs) return 'shutdown';
  return seenMs > tapMsMax ? 'held' : 'pressed';
}

/** When somebody must look again, monotonic; undefined while it is not pressed, or stuck. */
export function nextStageMs({ sinceMs, origin, seenMs }: ButtonState): number | undefined {
  if (sinceMs === undefined) return undefined;
  const next = thresholdsMs[origin].find((thresholdMs) => seenMs < thresholdMs);
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
