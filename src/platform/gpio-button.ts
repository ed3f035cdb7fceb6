import type { Log } from '../base/log.ts';
import type { ButtonPort, ButtonResult } from '../ports/button.ts';
import { type GpioLine, type GpioOptions, type GpioPin, gpioReason, openGpio } from './gpio.ts';

/** A contact bounces for some milliseconds; shorter than this nobody presses. */
const debounceMs = 20;

/** Opens the button on the board's pin. Never rejects. */
export async function openGpioButton(
  pin: GpioPin,
  options: GpioOptions,
  { log }: { readonly log: Log },
): Promise<ButtonResult> {
  try {
    const { base, library } = await openGpio(options);
    const line = new library.Gpio(base + pin.line, 'in', 'both', {
      activeLow: pin.activeLow,
      debounceTimeout: debounceMs,
    });
    return { button: new GpioButton(line, log) };
  } catch (error) {
    return { reason: gpioReason(error), mayCome: (error as { code?: unknown }).code === 'EACCES' };
  }
}

/** One that fails is not pressed from then on: a broken wire stops no box. */
class GpioButton implements ButtonPort {
  readonly #line: GpioLine;
  readonly #log: Log;
  #usable = true;

  constructor(line: GpioLine, log: Log) {
    this.#line = line;
    this.#log = log;
  }

  get pressed(): boolean {
    return this.#try(() => this.#line.readSync() === 1) ?? false;
  }

  onChange(listener: (pressed: boolean) => void): void {
    this.#try(() =>
      this.#line.watch((error, value) => {
        if (error !== null && error !== undefined) this.#fail(error);
        else if (this.#usable) listener(value === 1);
      }),
    );
  }

  close(): void {
    if (!this.#usable) return;
    this.#usable = false;
    try {
      this.#line.unwatchAll();
      this.#line.unexport();
    } catch {
      // The kernel takes the line back when the program ends.
    }
  }

  #try<T>(action: () => T): T | undefined {
    if (!this.#usable) return undefined;
    try {
      return action();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (!this.#usable) return;
    this.close();
    this.#log.warn('the button is out of use', { reason: gpioReason(error) });
  }
}
