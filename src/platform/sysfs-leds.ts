import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import type { LedDisplay, LedPort, LightsLeft } from '../ports/leds.ts';

/** Names of the lights in `/sys/class/leds`; one alone plays for both. */
export type SysfsLedNames = { readonly green: string; readonly amber: string } | { readonly single: string };

/** Lights of the kernel, or why there are none. */
export type SysfsLedsResult =
  | { readonly leds: LedPort; readonly reason?: undefined }
  | { readonly leds?: undefined; readonly reason: string };

/**
 * Opens lights that the kernel drives (Documentation/leds/leds-class.rst). While this program lives it plays them itself;
 * when it dies, the service's `lights-to-kernel` hands them to the kernel's heartbeat (docs/decisions/0007); when it ends
 * only to start again, it gives them back as the kernel has them when the box is switched on. Never throws.
 */
export function openSysfsLeds(
  names: SysfsLedNames,
  { log, folder = '/sys/class/leds' }: { readonly log: Log; readonly folder?: string },
): SysfsLedsResult {
  const wanted = 'single' in names ? [names.single] : [names.green, names.amber];
  const missing = wanted.find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) return { reason: `the kernel has no light ${missing}` };
  try {
    const lights = wanted.map((name) => new SysfsLight(join(folder, name)));
    return { leds: new SysfsLeds(lights, log) };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    return { reason: code === 'EACCES' ? 'the lights may not be used by this user' : String(error) };
  }
}

class SysfsLeds implements LedPort {
  readonly single: boolean;
  readonly #lights: readonly SysfsLight[];
  readonly #log: Log;
  #usable = true;
  #booting = false;

  constructor(lights: readonly SysfsLight[], log: Log) {
    this.#lights = lights;
    this.#log = log;
    this.single = lights.length === 1;
  }

  show({ green, amber, booting }: Pick<LedDisplay, 'green' | 'amber' | 'booting'>): void {
    this.#attempt(() => {
      if (booting) {
        if (!this.#booting) this.#lights[1]?.set(0);
        this.#booting = this.#booting || this.#lights[0]?.blink() === true;
        if (this.#booting) return;
      } else if (this.#booting) {
        this.#lights[0]?.take();
        this.#booting = false;
      }
      this.#lights[0]?.set(green);
      this.#lights[1]?.set(amber);
    });
  }

  close(left: LightsLeft): void {
    this.#attempt(() => {
      this.#lights[1]?.set(0);
      if (left === 'booting' && this.#booting) return;
      if (left === 'dark') this.#lights[0]?.set(0);
      // Without a timer it is lit.
      else if (this.#lights[0]?.blink() === false) this.#lights[0].set(1);
    });
    this.#usable = false;
  }

  /** A light that fails once stays as it is: the box has better things to do than to complain each half second. */
  #attempt(action: () => void): void {
    if (!this.#usable) return;
    try {
      action();
    } catch (error) {
      this.#usable = false;
      this.#log.warn('lights failed', { reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** One light, which the program plays. */
class SysfsLight {
  readonly #trigger: string;
  readonly #brightness: string;
  readonly #max: number;
  #shown = -1;

  constructor(folder: string) {
    this.#trigger = join(folder, 'trigger');
    this.#brightness = join(folder, 'brightness');
    this.#max = Number(readFileSync(join(folder, 'max_brightness'), 'utf8')) || 1;
    this.take();
    this.set(0);
  }

  /** From whatever trigger the kernel has on it. */
  take(): void {
    writeFileSync(this.#trigger, 'none');
    this.#shown = -1;
  }

  /** A light that is only on or off is on from one half. */
  set(level: number): void {
    const next = this.#max === 1 ? Number(level >= 0.5) : Math.round(level * this.#max);
    if (next === this.#shown) return;
    writeFileSync(this.#brightness, String(next));
    this.#shown = next;
  }

  /** Hands it to the kernel, whose timer has it on and off for half a second each; false: there is no timer. */
  blink(): boolean {
    try {
      writeFileSync(this.#trigger, 'timer');
      this.#shown = -1;
      return true;
    } catch {
      return false;
    }
  }
}
