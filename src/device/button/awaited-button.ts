import { buttonOpenMs, buttonPowerOnMs, buttonRetryMs } from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import type { ButtonResult } from '../../ports/button.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';

export interface AwaitedButtonOptions {
  /** Never rejects. */
  readonly open: () => Promise<ButtonResult>;
  /** Begins to listen at what was opened. `soon`: a press that is found there is no younger than the program's start. */
  readonly listen: (port: NonNullable<ButtonResult['button']>, soon: boolean) => { close(): void };
}

/** The button of a system that is still starting, which may not have given its pin to this program yet. */
export class AwaitedButton {
  readonly #options: AwaitedButtonOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #listening: { close(): void } | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: AwaitedButtonOptions, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
  }

  /** Resolves after the first try; where that was too early there are others. */
  async start(): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    if (await this.#try(startMs)) return;
    this.#retry = every(this.#clock, buttonRetryMs, async () => {
      if (await this.#try(startMs)) this.#retry?.cancel();
    });
    if (this.#closed) this.#retry.cancel();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#listening?.close();
  }

  /** True: there is nothing more to try. */
  async #try(startMs: number): Promise<boolean> {
    const { button, reason, mayCome } = await this.#options.open();
    const sinceMs = this.#clock.monotonicMs() - startMs;
    if (button === undefined) {
      if (mayCome === true && sinceMs < buttonOpenMs) return false;
      this.#log.debug('this box has no button', { reason: reason ?? '' });
    } else if (this.#closed) button.close();
    else this.#listening = this.#options.listen(button, sinceMs <= buttonPowerOnMs);
    return true;
  }
}
