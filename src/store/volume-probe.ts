import { AetherError, describeError, hasCode } from '../base/errors.ts';
import { volumeProbeFailuresMax, volumeProbeFreshMs } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import { volumeLabelPath } from './volume-label.ts';

/**
 * Asks whether a volume is still there, by opening its label: that reads nothing, and notices a folder that was
 * deleted or replaced, an unmounted disk, and a file system that was shut down because its disk was pulled out.
 */
export class VolumeProbe {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #gone: (error: AetherError) => void;
  #running: Promise<boolean> | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  /** `gone` is called when the volume is to be given up. */
  constructor(
    options: { readonly disk: Disk; readonly gone: (error: AetherError) => void },
    ports: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#disk = options.disk;
    this.#gone = options.gone;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /**
   * Whether the volume was there `volumeProbeFreshMs` ago or later. Those who ask at once share one look, and a fresh
   * answer serves for all.
   */
  async answers(): Promise<boolean> {
    if (this.#clock.monotonicMs() - this.#answeredAtMs <= volumeProbeFreshMs) return true;
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<boolean> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const label = await this.#disk.open(volumeLabelPath, 'read');
      await label.close();
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      this.#noteFailure(error);
      return false;
    }
    this.#answeredAtMs = startedMs;
    this.#failures = 0;
    return true;
  }

  /** A process that is short of file handles may fail to look: only an absent volume is given up at once. */
  #noteFailure(error: AetherError): void {
    this.#failures++;
    const gone = ['DISK_GONE', 'DISK_NOT_FOUND', 'DISK_SILENT'].some((code) => hasCode(error, code));
    if (gone || this.#failures >= volumeProbeFailuresMax) this.#gone(error);
    else this.#log.warn('volume does not answer', { error: describeError(error) });
  }
}
