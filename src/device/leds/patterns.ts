/**
 * The rhythm of the lights for each state. Never colour alone: every state has a rhythm of its own, so that a
 * person who cannot tell green from amber, or a board with one light, can still read it.
 */
import { unreachable } from '../../base/assert.ts';
import type { Lights } from '../../ports/leds.ts';
import type { LightState } from '../../status/light-state.ts';
import type { PressStage } from '../button/button-machine.ts';

/** A stretch of time in which the lights stay as they are. */
interface Step extends Lights {
  readonly durationMs: number;
}

/** Steps that repeat for ever; one step alone is a steady light. */
export type Pattern = readonly Step[];

/** How often an attention code is repeated. */
const codePeriodMs = 5000;
/** A flash, and the dark after it: slow enough to count. */
const flashMs = 200;
/** A longer dark before and after a group of flashes sets it apart from the steady light. */
const groupGapMs = 400;
const pulsePeriodMs = 2000;
const pulseSteps = 20;

export function patternOf(state: LightState): Pattern {
  switch (state.kind) {
    case 'booting':
      return [step(1, 0, 500), step(0, 0, 500)];
    case 'healthy':
      return [step(1, 0, 1000)];
    case 'working':
      return pulse();
    case 'attention':
      return attention(state.flashes);
    case 'unclaimed':
      return [step(1, 0, 500), step(0, 1, 500)];
    case 'updating':
      return [step(1, 0, 125), step(0, 0, 125)];
    case 'data-at-risk':
      return [...flashes(3), step(0, 0, 1200)];
    case 'identify':
      return [step(1, 1, 50), step(0, 0, 50)];
    case 'off':
      return [step(0, 0, 1000)];
    default:
      return unreachable(state);
  }
}

/** The rhythm where one light plays for both, as `green`: each state still has one of its own. */
export function singlePatternOf(state: LightState): Pattern {
  if (state.kind === 'unclaimed') return [step(1, 0, 100), step(0, 0, 100), step(1, 0, 100), step(0, 0, 700)];
  if (state.kind === 'working') return onGreen(pulse());
  const pattern = patternOf(state);
  return state.kind === 'attention' || state.kind === 'data-at-risk' ? onGreen(pattern) : pattern;
}

/** While the button is held both lights blink, faster at each threshold; steady: let go now, and nothing happens. */
export function pressPatternOf(stage: Exclude<PressStage, 'stuck'>): Pattern {
  switch (stage) {
    case 'pressed':
    case 'held':
      return [step(1, 1, 1000)];
    case 'shutdown':
      return [step(1, 1, 250), step(0, 0, 250)];
    case 'reset-access':
      return [step(1, 1, 100), step(0, 0, 100)];
    case 'factory-reset':
      return [step(1, 1, 40), step(0, 0, 40)];
    default:
      return unreachable(stage);
  }
}

function onGreen(pattern: Pattern): Pattern {
  return pattern.map(({ amber, durationMs }) => step(amber, 0, durationMs));
}

/** The lights `sinceStartMs` after the state began. */
export function lightsAt(pattern: Pattern, sinceStartMs: number): Lights {
  const { green, amber } = stepAt(pattern, sinceStartMs).step;
  return { green, amber };
}

/** Milliseconds until the lights change, or undefined when they are steady. */
export function nextChangeMs(pattern: Pattern, sinceStartMs: number): number | undefined {
  if (pattern.length === 1) return undefined;
  return stepAt(pattern, sinceStartMs).leftMs;
}

/** What the lights do, in words. */
export function describeLights(state: LightState): string {
  switch (state.kind) {
    case 'booting':
      return 'green blinks, amber off';
    case 'healthy':
      return 'green on, amber off';
    case 'working':
      return 'green on, amber pulses';
    case 'attention':
      return state.flashes === 0
        ? 'green off, amber on'
        : `green off, amber on with ${state.flashes} ${state.flashes === 1 ? 'flash' : 'flashes'}`;
    case 'unclaimed':
      return 'green and amber by turns';
    case 'updating':
      return 'green blinks fast, amber off';
    case 'data-at-risk':
      return 'green off, amber flashes in threes';
    case 'identify':
      return 'green and amber blink fast together';
    case 'off':
      return 'green off, amber off';
    default:
      return unreachable(state);
  }
}

function step(green: number, amber: number, durationMs: number): Step {
  return { green, amber, durationMs };
}

/** Amber swells and fades as a cosine; green stays on. */
function pulse(): Pattern {
  return Array.from({ length: pulseSteps }, (_, index) => {
    const level = (1 - Math.cos((2 * Math.PI * (index + 0.5)) / pulseSteps)) / 2;
    return step(1, level, pulsePeriodMs / pulseSteps);
  });
}

/** Amber on, broken every five seconds by a dark gap with `count` flashes in it; steady when there are none. */
function attention(count: number): Pattern {
  if (count === 0) return [step(0, 1, codePeriodMs)];
  const code = [step(0, 0, groupGapMs), ...flashes(count), step(0, 0, groupGapMs)];
  const codeMs = code.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return [...code, step(0, 1, codePeriodMs - codeMs)];
}

/** `count` flashes and the dark between them; what follows the last is the caller's. */
function flashes(count: number): Pattern {
  return Array.from({ length: count }, () => [step(0, 1, flashMs), step(0, 0, flashMs)])
    .flat()
    .slice(0, -1);
}

function stepAt(pattern: Pattern, sinceStartMs: number): { step: Step; leftMs: number } {
  const periodMs = pattern.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let restMs = Math.max(0, sinceStartMs) % periodMs;
  for (const each of pattern) {
    if (restMs < each.durationMs) return { step: each, leftMs: each.durationMs - restMs };
    restMs -= each.durationMs;
  }
  // Only rounding can lead here: the very end of a period is its start.
  return { step: pattern[0]!, leftMs: pattern[0]!.durationMs };
}
