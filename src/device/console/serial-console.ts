import { describeError } from '../../base/errors.ts';
import { serialRetryMsMax, serialRetryMsMin } from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { ConsoleLine } from '../../ports/terminal-line.ts';
import type { ConsoleContext } from './command.ts';
import { Console } from './console.ts';

export interface SerialConsoleOptions {
  /** What people call the line: `/dev/ttyAMA0`. */
  readonly name: string;
  readonly open: () => Promise<ConsoleLine>;
  readonly context: ConsoleContext;
}

/**
 * A console on a line that is always there for whoever comes: when somebody leaves, the next one is greeted, and when
 * the line itself goes away (a USB gadget whose cable is pulled), it is opened again once it can be.
 */
export class SerialConsole {
  readonly #options: SerialConsoleOptions;
  readonly #ports: { readonly clock: Clock; readonly log: Log };
  #console: Console | undefined;
  #line: ConsoleLine | undefined;
  #timer: Timer | undefined;
  #retryMs = serialRetryMsMin;
  #closed = false;

  constructor(options: SerialConsoleOptions, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#ports = ports;
    void this.#open();
  }

  /** Shows a line of text above whatever is being typed. */
  print(text: string): void {
    this.#console?.print(text);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#console?.close();
    this.#line?.close();
  }

  async #open(): Promise<void> {
    const { open, name, context } = this.#options;
    const { clock, log } = this.#ports;
    let line: ConsoleLine;
    try {
      line = await open();
    } catch (error) {
      // Said at the first attempt: a line that is never there is no news each minute.
      if (this.#retryMs === serialRetryMsMin)
        log.info('no console on the serial line', { line: name, reason: describeError(error) });
      this.#again();
      return;
    }
    if (this.#closed) {
      line.close();
      return;
    }
    this.#line = line;
    this.#retryMs = serialRetryMsMin;
    const opened = new Console({ line, context }, { clock });
    this.#console = opened;
    void opened.ended.then(() => {
      line.close();
      if (this.#line === line) this.#again();
    });
    opened.start();
  }

  #again(): void {
    if (this.#closed) return;
    this.#timer = this.#ports.clock.after(this.#retryMs, () => void this.#open());
    this.#retryMs = Math.min(serialRetryMsMax, this.#retryMs * 2);
  }
}
