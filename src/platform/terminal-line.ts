import type { Bytes } from '../base/bytes.ts';
import type { ConsoleLine, ConsoleLineStyle } from '../ports/terminal-line.ts';

/** What is needed of a terminal's or pipe's reading end; `process.stdin` has it. */
export interface TerminalInput {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  unref?(): unknown;
}

/** What is needed of its writing end; `process.stdout` has it. */
export interface TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface TerminalEnvironment {
  readonly TERM?: string | undefined;
  readonly NO_COLOR?: string | undefined;
}

export interface TerminalLineOptions {
  readonly input?: TerminalInput;
  readonly output?: TerminalOutput;
  readonly environment?: TerminalEnvironment;
}

const columnsUnknown = 80;

/** How much a terminal obeys: nothing at all unless both of its ends are one. */
function terminalStyle(
  input: TerminalInput,
  output: TerminalOutput,
  environment: TerminalEnvironment,
): ConsoleLineStyle {
  if (input.isTTY !== true || output.isTTY !== true) return 'plain';
  return environment.TERM === 'dumb' || environment.TERM === undefined ? 'dumb' : 'ansi';
}

/**
 * The terminal this program was started from, or the pipe. A terminal is switched to raw mode, so that every key
 * comes here, Ctrl-C too, and is given back as it was on `close`, on exit and on a crash.
 */
export class TerminalLine implements ConsoleLine {
  readonly style: ConsoleLineStyle;
  /** Node waits for terminals and pipes. */
  readonly pending = 0;
  readonly #input: TerminalInput;
  readonly #output: TerminalOutput;
  #onEnd: () => void = () => {};
  #ended = false;
  #closed = false;
  readonly #restore = () => {
    if (this.style !== 'plain') this.#input.setRawMode?.(false);
  };

  constructor(options: TerminalLineOptions = {}) {
    this.#input = options.input ?? process.stdin;
    this.#output = options.output ?? process.stdout;
    this.style = terminalStyle(this.#input, this.#output, options.environment ?? process.env);
    // Somebody closed the window or the reader of the pipe went away: that ends the console, not the box.
    this.#output.on('error', () => this.#end());
    this.#input.on('error', () => this.#end());
    this.#input.on('end', () => this.#end());
    this.#input.on('close', () => this.#end());
  }

  get columns(): number {
    return this.#output.columns !== undefined && this.#output.columns > 0
      ? this.#output.columns
      : columnsUnknown;
  }

  onData(listener: (bytes: Bytes) => void): void {
    if (this.style !== 'plain') {
      this.#input.setRawMode?.(true);
      process.once('exit', this.#restore);
    }
    this.#input.on('data', (bytes) => {
      if (!this.#closed) listener(bytes);
    });
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#ended) listener();
  }

  onTaken(): void {}

  write(text: string): void {
    if (!this.#closed && text !== '') this.#output.write(text);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#restore();
    process.removeListener('exit', this.#restore);
    this.#input.pause();
    this.#input.unref?.();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#closed) this.#onEnd();
  }
}
