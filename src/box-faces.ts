import type { Log } from './base/log.ts';
import type { PairingCode } from './control/appliance-control.ts';
import { AwaitedButton } from './device/button/awaited-button.ts';
import { Button } from './device/button/button.ts';
import type { ConsoleContext } from './device/console/command.ts';
import { Console, type ConsoleEnd } from './device/console/console.ts';
import { SerialConsole } from './device/console/serial-console.ts';
import { LedDriver } from './device/leds/led-driver.ts';
import type { BoardPins } from './device/pins.ts';
import { openGpioButton } from './platform/gpio-button.ts';
import { openGpioLeds } from './platform/gpio-leds.ts';
import { SerialLine } from './platform/serial-line.ts';
import { openSysfsLeds } from './platform/sysfs-leds.ts';
import { TerminalLeds } from './platform/terminal-leds.ts';
import { TerminalLine } from './platform/terminal-line.ts';
import { type Clock, every } from './ports/clock.ts';
import type { LedPort } from './ports/leds.ts';

export interface BoxFacesOptions {
  readonly context: ConsoleContext;
  /** What a person at the terminal should see first; undefined: there is no console on the terminal. */
  readonly greeting: readonly string[] | undefined;
  /** Serial lines with a console on them. */
  readonly serial: readonly string[];
  readonly pins: BoardPins;
  /** As `ButtonOptions.atPowerOn`. */
  readonly atPowerOn: boolean;
  /** As `LedDriverOptions.startsAgain`. */
  readonly startsAgain: () => boolean;
}

/** How a person at the terminal ends the console: the box is to stop, or to go on without. */
export type TerminalEnd = Exclude<ConsoleEnd, 'hang-up'>;

/** Ages in sentences go on without anything happening. */
const showPeriodMs = 1000;

/** What a person sees of a box and types to it: its lights, and its consoles on the terminal and on serial lines. */
export class BoxFaces {
  /** Resolves when the person at the terminal has ended the console there. */
  readonly ended: Promise<TerminalEnd>;
  readonly #closers: readonly (() => void)[];

  private constructor(ended: Promise<TerminalEnd>, closers: readonly (() => void)[]) {
    this.ended = ended;
    this.#closers = closers;
  }

  static async start(
    { context, greeting, serial, pins, atPowerOn, startsAgain }: BoxFacesOptions,
    ports: { readonly clock: Clock; readonly log: Log },
  ): Promise<BoxFaces> {
    const terminal = greeting === undefined ? undefined : new TerminalFace(context, greeting, ports.clock);
    const consoles = serial.map((path) => {
      const open = () => SerialLine.open({ path, baud: pins.console.baud, style: 'ansi' });
      const log = ports.log.part('console');
      return new SerialConsole({ name: path, open, context }, { clock: ports.clock, log });
    });
    const onCode = ({ code }: PairingCode) => {
      for (const each of [terminal, ...consoles])
        each?.print(`The button was tapped. Login code: ${code}, valid for 10 min`);
    };
    const lights = await startLights({ context, pins, terminal, onCode, atPowerOn, startsAgain }, ports);
    terminal?.start();
    lights.show();
    return new BoxFaces(terminal?.ended ?? new Promise(() => {}), [
      ...consoles.map((each) => () => each.close()),
      () => lights.show(),
      () => terminal?.closeConsole(),
      () => lights.close(),
      () => terminal?.closeLine(),
    ]);
  }

  /** Gives everything back. */
  close(): void {
    for (const each of this.#closers) each();
  }
}

/** The console on the terminal that the program was started from. */
class TerminalFace {
  readonly ended: Promise<TerminalEnd>;
  readonly #line = new TerminalLine();
  readonly #console: Console;
  #closing = false;

  constructor(context: ConsoleContext, greeting: readonly string[], clock: Clock) {
    this.#console = new Console({ line: this.#line, context, greeting }, { clock });
    const { promise, resolve } = Promise.withResolvers<TerminalEnd>();
    this.ended = promise;
    this.#console.ended.then((end) => {
      if (this.#closing || end === 'hang-up') return;
      if (end === 'leave') this.#line.close();
      resolve(end);
    });
  }

  start(): void {
    this.#console.start();
  }

  print(text: string): void {
    this.#console.print(text);
  }

  closeConsole(): void {
    this.#closing = true;
    this.#console.close();
  }

  closeLine(): void {
    this.#line.close();
  }
}

interface LightsOptions extends Pick<BoxFacesOptions, 'context' | 'pins' | 'atPowerOn' | 'startsAgain'> {
  readonly terminal: TerminalFace | undefined;
  readonly onCode: (code: PairingCode) => void;
}

/** Plays the box's state on its lights, or draws them on the terminal, and listens to its button. */
async function startLights(
  { context, pins, terminal, onCode, atPowerOn, startsAgain }: LightsOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<{ show(): void; close(): void }> {
  const { control } = context;
  const lights = await openLights(pins, log);
  const ports: LedPort[] = [];
  if (lights.leds !== undefined) ports.push(lights.leds);
  else if (terminal !== undefined) {
    log.info('lights are drawn on the terminal', { reason: lights.reason });
    ports.push(new TerminalLeds({ print: (text) => terminal.print(text) }));
  }
  const driver = new LedDriver({ ports, startsAgain }, { clock });
  const show = () => driver.show(control.status());
  // A button takes its time to open, and lights that were taken from the kernel would be dark as long.
  if (lights.leds !== undefined) show();
  const unsubscribe = control.onChange(show);
  const refresh = every(clock, showPeriodMs, show);
  const buttonPorts = { clock, log: log.part('button') };
  const button = new AwaitedButton(
    {
      open: () => openGpioButton(pins.button, pins, buttonPorts),
      listen: (port, soon) =>
        new Button({ port, control, lights: driver, onCode, atPowerOn: atPowerOn && soon }, buttonPorts),
    },
    buttonPorts,
  );
  await button.start();
  return {
    show,
    close: () => {
      button.close();
      unsubscribe();
      refresh.cancel();
      driver.close();
    },
  };
}

/** Lights of the kernel, which go on when this program dies; else pins; else the board's own light. Never rejects. */
async function openLights(
  { leds, singleLed, gpioChips }: BoardPins,
  log: Log,
): Promise<{ readonly leds?: LedPort | undefined; readonly reason: string }> {
  const { green, amber } = leds;
  if (green.sysfs !== null && amber.sysfs !== null) {
    const { leds: opened } = openSysfsLeds({ green: green.sysfs, amber: amber.sysfs }, { log });
    if (opened !== undefined) return { leds: opened, reason: '' };
  }
  const pins = await openGpioLeds(leds, { gpioChips }, { log });
  if (pins.leds !== undefined || singleLed === null) return { leds: pins.leds, reason: pins.reason ?? '' };
  const { leds: single } = openSysfsLeds({ single: singleLed }, { log });
  return { leds: single, reason: pins.reason };
}
