import { buttonOpenMs, buttonRetryMs } from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import type { ButtonResult } from '../../ports/button.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';

export interface AwaitedButtonOptions {
  /** Never rejects. */
  readonly open: () => Promise<ButtonResult>;
  /** Begins to listen at what was opened. */
  readonly listen: (port: NonNullable<ButtonResult['button']>) => { close(): void };
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
    const untilMs = this.#clock.monotonicMs() + buttonOpenMs;
    if (await this.#try(untilMs)) return;
    this.#retry = every(this.#clock, buttonRetryMs, async () => {
      if (await this.#try(untilMs)) this.#retry?.cancel();
    });
    if (this.#closed) this.#retry.cancel();
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#listening?.close();
  }

  /** True: there is nothing more to try. */
  async #try(untilMs: number): Promise<boolean> {
    const { button, reason, mayCome } = await this.#options.open();
    if (button === undefined) {
      if (mayCome === true && this.#clock.monotonicMs() < untilMs) return false;
      this.#log.debug('this box has no button', { reason: reason ?? '' });
    } else if (this.#closed) button.close();
    else this.#listening = this.#options.listen(button);
    return true;
  }
}
