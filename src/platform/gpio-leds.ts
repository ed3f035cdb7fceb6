import type { Log } from '../base/log.ts';
import type { LedDisplay, LedPort, LightsLeft } from '../ports/leds.ts';
import { type GpioLine, type GpioOptions, type GpioPin, gpioReason, openGpio } from './gpio.ts';

/** Where the lights are wired, as `board/` says. */
export interface GpioLedPins {
  readonly green: GpioPin;
  readonly amber: GpioPin;
}

/** Lights on pins, or why there are none: a computer without pins is not broken. */
export type GpioLedsResult =
  | { readonly leds: LedPort; readonly reason?: undefined }
  | { readonly leds?: undefined; readonly reason: string };

/** Opens the lights on the board's GPIO pins. Never rejects. */
export async function openGpioLeds(
  pins: GpioLedPins,
  options: GpioOptions,
  { log }: { readonly log: Log },
): Promise<GpioLedsResult> {
  try {
    const { base, library } = await openGpio(options);
    const open = ({ line, activeLow }: GpioPin) =>
      new library.Gpio(base + line, 'low', 'none', { activeLow, reconfigureDirection: true });
    const green = open(pins.green);
    try {
      return { leds: new GpioLeds(green, open(pins.amber), log) };
    } catch (error) {
      green.unexport();
      throw error;
    }
  } catch (error) {
    return { reason: gpioReason(error) };
  }
}

class GpioLeds implements LedPort {
  readonly #green: GpioLine;
  readonly #amber: GpioLine;
  readonly #log: Log;
  #shown: readonly [0 | 1, 0 | 1] = [0, 0];
  #usable = true;

  constructor(green: GpioLine, amber: GpioLine, log: Log) {
    this.#green = green;
    this.#amber = amber;
    this.#log = log;
  }

  show({ green, amber }: Pick<LedDisplay, 'green' | 'amber'>): void {
    const next = [green >= 0.5 ? 1 : 0, amber >= 0.5 ? 1 : 0] as const;
    this.#attempt(() => {
      if (next[0] !== this.#shown[0]) this.#green.writeSync(next[0]);
      if (next[1] !== this.#shown[1]) this.#amber.writeSync(next[1]);
    });
    this.#shown = next;
  }

  close(left: LightsLeft): void {
    this.show({ green: left === 'booting' ? 1 : 0, amber: 0 });
    // A pin that is given back may go dark; the next start takes these over as they are.
    if (left === 'dark')
      for (const output of [this.#green, this.#amber]) this.#attempt(() => output.unexport());
    this.#usable = false;
  }

  /** A light that fails once stays dark: the box has better things to do than to complain each half second. */
  #attempt(action: () => void): void {
    if (!this.#usable) return;
    try {
      action();
    } catch (error) {
      this.#usable = false;
      this.#log.warn('lights failed', { reason: gpioReason(error) });
    }
  }
}
