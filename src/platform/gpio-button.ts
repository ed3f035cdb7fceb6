import type { ButtonPort } from '../ports/button.ts';
import { type GpioLine, type GpioOptions, type GpioPin, gpioReason, openGpio } from './gpio.ts';

/** A contact bounces for some milliseconds; shorter than this nobody presses. */
const debounceMs = 20;

/** A button on a pin, or why there is none: a computer without pins is not broken. */
export type GpioButtonResult =
  | { readonly button: ButtonPort; readonly reason?: undefined }
  | { readonly button?: undefined; readonly reason: string };

/** Opens the button on the board's pin. Never rejects. */
export async function openGpioButton(pin: GpioPin, options: GpioOptions): Promise<GpioButtonResult> {
  try {
    const { base, library } = await openGpio(options);
    const line = new library.Gpio(base + pin.line, 'in', 'both', {
      activeLow: pin.activeLow,
      debounceTimeout: debounceMs,
    });
    return { button: new GpioButton(line) };
  } catch (error) {
    return { reason: gpioReason(error) };
  }
}

class GpioButton implements ButtonPort {
  readonly #line: GpioLine;

  constructor(line: GpioLine) {
    this.#line = line;
  }

  get pressed(): boolean {
    return this.#line.readSync() === 1;
  }

  onChange(listener: (pressed: boolean) => void): void {
    this.#line.watch((error, value) => {
      if (error === null || error === undefined) listener(value === 1);
    });
  }

  close(): void {
    this.#line.unwatchAll();
    this.#line.unexport();
  }
}
