import type { Log, LogRing } from './base/log.ts';
import type { ApplianceControl } from './control/appliance-control.ts';
import { Console, type ConsoleEnd } from './device/console/console.ts';
import { LedDriver } from './device/leds/led-driver.ts';
import type { BoardPins } from './device/pins.ts';
import { openGpioLeds } from './platform/gpio-leds.ts';
import { TerminalLeds } from './platform/terminal-leds.ts';
import { TerminalLine } from './platform/terminal-line.ts';
import { type Clock, every } from './ports/clock.ts';
import type { LedPort } from './ports/leds.ts';

export interface BoxFacesOptions {
  readonly control: ApplianceControl;
  readonly ring: LogRing;
  /** What a person at the terminal should see first. */
  readonly greeting: readonly string[];
  readonly pins: BoardPins;
}

/** Ages in sentences go on without anything happening. */
const showPeriodMs = 1000;

/** What a person sees of a box and types to it: its lights, and its console on the terminal. */
export class BoxFaces {
  /** Resolves when the person at the terminal has closed the console, or wants the box to stop. */
  readonly ended: Promise<Exclude<ConsoleEnd, 'hang-up'>>;
  readonly #close: () => void;

  private constructor(ended: Promise<Exclude<ConsoleEnd, 'hang-up'>>, close: () => void) {
    this.ended = ended;
    this.#close = close;
  }

  static async start(
    { control, ring, greeting, pins }: BoxFacesOptions,
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ): Promise<BoxFaces> {
    const line = new TerminalLine();
    const console = new Console({ line, context: { control, log: ring }, greeting }, { clock });
    const gpio = await openGpioLeds({ pins }, { log });
    if (gpio.reason !== undefined) log.info('lights are drawn on the terminal', { reason: gpio.reason });
    const leds: LedPort = gpio.leds ?? new TerminalLeds({ print: (text) => console.print(text) });
    const driver = new LedDriver({ ports: [leds] }, { clock });
    const show = () => driver.show(control.status());
    const unsubscribe = control.onChange(show);
    const refresh = every(clock, showPeriodMs, show);
    console.start();
    show();
    let closing = false;
    const ended = Promise.withResolvers<Exclude<ConsoleEnd, 'hang-up'>>();
    console.ended.then((end) => {
      if (closing || end === 'hang-up') return;
      if (end === 'leave') line.close();
      ended.resolve(end);
    });
    return new BoxFaces(ended.promise, () => {
      closing = true;
      unsubscribe();
      refresh.cancel();
      show();
      console.close();
      driver.close();
      line.close();
    });
  }

  /** Gives the terminal back. */
  close(): void {
    this.#close();
  }
}
