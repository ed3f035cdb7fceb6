import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import type { LedDisplay, LedPort } from '../ports/leds.ts';

/** Where the lights are wired, as `board/` says. */
export interface GpioLedPins {
  readonly gpioChips: readonly string[];
  readonly leds: { readonly green: GpioPin; readonly amber: GpioPin };
}

export interface GpioPin {
  readonly line: number;
  readonly activeLow: boolean;
}

/** What is used of the package onoff. */
export interface GpioLibrary {
  readonly Gpio: new (
    gpio: number,
    direction: 'low',
    edge: 'none',
    options: { activeLow: boolean; reconfigureDirection: boolean },
  ) => GpioOutput;
}

export interface GpioOutput {
  writeSync(value: 0 | 1): void;
  unexport(): void;
}

export interface GpioLedsOptions {
  readonly pins: GpioLedPins;
  /** Where the kernel shows its GPIO controllers. */
  readonly sysfsFolder?: string;
  /** Loads onoff, whose native part may not have been built here. */
  readonly load?: () => Promise<GpioLibrary>;
}

/** Lights on pins, or why there are none: a computer without pins is not broken. */
export type GpioLedsResult =
  | { readonly leds: LedPort; readonly reason?: undefined }
  | { readonly leds?: undefined; readonly reason: string };

/** Opens the lights on the board's GPIO pins. Never rejects. */
export async function openGpioLeds(
  options: GpioLedsOptions,
  { log }: { readonly log: Log },
): Promise<GpioLedsResult> {
  const { pins, sysfsFolder = '/sys/class/gpio', load = loadOnoff } = options;
  try {
    const base = gpioBase(sysfsFolder, pins.gpioChips);
    if (base === undefined) return { reason: `no GPIO controller named ${pins.gpioChips.join(' or ')}` };
    const { Gpio } = await load();
    const open = ({ line, activeLow }: GpioPin) =>
      new Gpio(base + line, 'low', 'none', { activeLow, reconfigureDirection: true });
    const green = open(pins.leds.green);
    try {
      return { leds: new GpioLeds(green, open(pins.leds.amber), log) };
    } catch (error) {
      green.unexport();
      throw error;
    }
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** The number of the first line of the controller that has one of these names; undefined when none is there. */
function gpioBase(sysfsFolder: string, names: readonly string[]): number | undefined {
  for (const chip of readdirSync(sysfsFolder).filter((name) => name.startsWith('gpiochip'))) {
    const read = (file: string) => readFileSync(join(sysfsFolder, chip, file), 'utf8').trim();
    if (names.includes(read('label'))) return Number(read('base'));
  }
  return undefined;
}

async function loadOnoff(): Promise<GpioLibrary> {
  const { Gpio } = await import('onoff');
  return { Gpio };
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return 'this computer has no GPIO pins';
  if (code === 'EACCES') return 'the GPIO pins may not be used by this user';
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
    return 'the package onoff is not installed';
  if (code === 'ERR_DLOPEN_FAILED') return 'the native part of onoff was built for another Node';
  return error instanceof Error ? error.message : String(error);
}

class GpioLeds implements LedPort {
  readonly #green: GpioOutput;
  readonly #amber: GpioOutput;
  readonly #log: Log;
  #shown: readonly [0 | 1, 0 | 1] = [0, 0];
  #usable = true;

  constructor(green: GpioOutput, amber: GpioOutput, log: Log) {
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

  close(): void {
    this.show({ green: 0, amber: 0 });
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
      this.#log.warn('lights failed', { reason: reasonOf(error) });
    }
  }
}
