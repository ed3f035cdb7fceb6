import type { Clock, Timer } from '../../ports/clock.ts';
import type { LedPort } from '../../ports/leds.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import type { LightState } from '../../status/light-state.ts';
import type { PressStage } from '../button/button-machine.ts';
import {
  describeLights,
  lightsAt,
  nextChangeMs,
  type Pattern,
  patternOf,
  pressPatternOf,
  singlePatternOf,
} from './patterns.ts';

/** What the driver needs of the status. */
export type LightedStatus = Pick<ApplianceStatus, 'light' | 'headline'>;

/** Dark lights would say that the box may be unplugged. */
const startingAgain: LightedStatus = { light: { kind: 'booting' }, headline: 'The box starts again.' };

export interface LedDriverOptions {
  readonly ports: readonly LedPort[];
  /** The box ends only to start again. */
  readonly startsAgain: () => boolean;
}

/** What the lights play, and since when. */
interface Playing {
  readonly pattern: Pattern;
  /** Where one light plays for both. */
  readonly single: Pattern;
  readonly startMs: number;
}

/**
 * Plays the rhythm of the box's state on its lights, and while the button is pressed that of the press. It sleeps as long
 * as nothing changes: steady lights cost nothing. All ports are in step.
 */
export class LedDriver {
  readonly #ports: readonly LedPort[];
  readonly #startsAgain: () => boolean;
  readonly #clock: Clock;
  #state: LightState | undefined;
  #ofState: Playing = { pattern: [], single: [], startMs: 0 };
  #stage: Exclude<PressStage, 'stuck'> | undefined;
  #ofPress: Playing | undefined;
  #rhythm = '';
  #headline = '';
  #timer: Timer | undefined;
  #closed = false;

  constructor({ ports, startsAgain }: LedDriverOptions, { clock }: { readonly clock: Clock }) {
    this.#ports = ports;
    this.#startsAgain = startsAgain;
    this.#clock = clock;
  }

  /** Shows this status from now on. The same state again does not disturb its rhythm. */
  show(told: LightedStatus): void {
    const status = told.light.kind === 'off' && this.#startsAgain() ? startingAgain : told;
    const same = this.#state !== undefined && isSame(this.#state, status.light);
    if (same && status.headline === this.#headline) return;
    if (!same) {
      this.#state = status.light;
      this.#rhythm = describeLights(status.light);
      this.#ofState = {
        pattern: patternOf(status.light),
        single: singlePatternOf(status.light),
        startMs: this.#clock.monotonicMs(),
      };
    }
    this.#headline = status.headline;
    this.#play();
  }

  /** Shows how far a press of the button is, instead of the state; undefined: the state again. */
  showPress(stage: Exclude<PressStage, 'stuck'> | undefined): void {
    if (stage === this.#stage) return;
    this.#stage = stage;
    if (stage === undefined) this.#ofPress = undefined;
    else {
      const pattern = pressPatternOf(stage);
      this.#ofPress = { pattern, single: pattern, startMs: this.#clock.monotonicMs() };
    }
    this.#play();
  }

  /** Gives the lights back; what it is told to show afterwards is not shown. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const left = this.#startsAgain() ? 'booting' : 'dark';
    for (const port of this.#ports) port.close(left);
  }

  #play(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { pattern, single, startMs } = this.#ofPress ?? this.#ofState;
    if (pattern.length === 0) return;
    const booting = this.#ofPress === undefined && this.#state?.kind === 'booting';
    const sinceStartMs = this.#clock.monotonicMs() - startMs;
    for (const port of this.#ports) {
      const lights = lightsAt(port.single === true ? single : pattern, sinceStartMs);
      port.show({ ...lights, booting, rhythm: this.#rhythm, headline: this.#headline });
    }
    const played = this.#ports.map((port) => (port.single === true ? single : pattern));
    const waits = played.flatMap((each) => nextChangeMs(each, sinceStartMs) ?? []);
    if (waits.length === 0) this.#timer = undefined;
    // Half a millisecond late is not seen; a timer that fires a hair early would play the old step again.
    else this.#timer = this.#clock.after(Math.min(...waits) + 0.5, () => this.#play());
  }
}

function isSame(a: LightState, b: LightState): boolean {
  return a.kind === b.kind && (a.kind !== 'attention' || b.kind !== 'attention' || a.flashes === b.flashes);
}
