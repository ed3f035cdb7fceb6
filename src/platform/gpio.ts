import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of the board's GPIO controller, as `board/` says. */
export interface GpioPin {
  readonly line: number;
  readonly activeLow: boolean;
}

/** What is used of the package onoff. */
export interface GpioLibrary {
  readonly Gpio: new (
    gpio: number,
    direction: 'low' | 'in',
    edge: 'none' | 'both',
    options: { activeLow: boolean; reconfigureDirection?: boolean; debounceTimeout?: number },
  ) => GpioLine;
}

export interface GpioLine {
  readSync(): 0 | 1;
  writeSync(value: 0 | 1): void;
  watch(listener: (error: Error | null | undefined, value: 0 | 1) => void): void;
  unwatchAll(): void;
  unexport(): void;
}

export interface GpioOptions {
  /** Names the kernel gives the board's GPIO controller. */
  readonly gpioChips: readonly string[];
  /** Where the kernel shows its GPIO controllers. */
  readonly sysfsFolder?: string;
  /** Loads onoff, whose native part may not have been built here. */
  readonly load?: () => Promise<GpioLibrary>;
}

/**
 * Opens lines of the controller that has one of the names: since Linux 6.6 its first line has another number than 0.
 * Rejects, with words that {@link gpioReason} gives, where there is none.
 */
export async function openGpio({
  gpioChips,
  sysfsFolder = '/sys/class/gpio',
  load = loadOnoff,
}: GpioOptions): Promise<{ readonly base: number; readonly library: GpioLibrary }> {
  const base = gpioBase(sysfsFolder, gpioChips);
  if (base === undefined) throw new Error(`no GPIO controller named ${gpioChips.join(' or ')}`);
  return { base, library: await load() };
}

/** Why pins cannot be used, in words. */
export function gpioReason(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return 'this computer has no GPIO pins';
  if (code === 'EACCES') return 'the GPIO pins may not be used by this user';
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND')
    return 'the package onoff is not installed';
  if (code === 'ERR_DLOPEN_FAILED') return 'the native part of onoff was built for another Node';
  return error instanceof Error ? error.message : String(error);
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
