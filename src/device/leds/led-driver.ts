import type { Clock, Timer } from '../../ports/clock.ts';
import type { LedPort } from '../../ports/leds.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import type { LightState } from '../../status/light-state.ts';
import { describeLights, lightsAt, nextChangeMs, type Pattern, patternOf } from './patterns.ts';

/** What the driver needs of the status. */
export type LightedStatus = Pick<ApplianceStatus, 'light' | 'headline'>;

/**
 * Plays the rhythm of the box's state on its lights. It sleeps as long as nothing changes: steady lights cost
 * nothing. The same lights go to every port, in step.
 */
export class LedDriver {
  readonly #ports: readonly LedPort[];
  readonly #clock: Clock;
  #state: LightState | undefined;
  #pattern: Pattern = [];
  #rhythm = '';
  #headline = '';
  #startMs = 0;
  #timer: Timer | undefined;

  constructor(options: { readonly ports: readonly LedPort[] }, { clock }: { readonly clock: Clock }) {
    this.#ports = options.ports;
    this.#clock = clock;
  }

  /** Shows this status from now on. The same state again does not disturb its rhythm. */
  show(status: LightedStatus): void {
    const same = this.#state !== undefined && isSame(this.#state, status.light);
    if (same && status.headline === this.#headline) return;
    if (!same) {
      this.#state = status.light;
      this.#rhythm = describeLights(status.light);
      this.#pattern = patternOf(status.light);
      this.#startMs = this.#clock.monotonicMs();
    }
    this.#headline = status.headline;
    this.#play();
  }

  close(): void {
    this.#timer?.cancel();
    for (const port of this.#ports) port.close();
  }

  #play(): void {
    this.#timer?.cancel();
    const sinceStartMs = this.#clock.monotonicMs() - this.#startMs;
    const lights = lightsAt(this.#pattern, sinceStartMs);
    const display = { ...lights, rhythm: this.#rhythm, headline: this.#headline };
    for (const port of this.#ports) port.show(display);
    const waitMs = nextChangeMs(this.#pattern, sinceStartMs);
    // Half a millisecond late is not seen; a timer that fires a hair early would play the old step again.
    this.#timer = waitMs === undefined ? undefined : this.#clock.after(waitMs + 0.5, () => this.#play());
  }
}

function isSame(a: LightState, b: LightState): boolean {
  return a.kind === b.kind && (a.kind !== 'attention' || b.kind !== 'attention' || a.flashes === b.flashes);
}
