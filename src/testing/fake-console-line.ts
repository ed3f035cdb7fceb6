import { type Bytes, utf8 } from '../base/bytes.ts';
import type { ConsoleLine, ConsoleLineStyle } from '../ports/terminal-line.ts';

/** A line whose other end is a test. */
export class FakeConsoleLine implements ConsoleLine {
  readonly style: ConsoleLineStyle;
  readonly columns: number;
  written = '';
  closed = false;
  /** False: what is written waits until `take`. */
  reads = true;
  pending = 0;
  readonly #onWrite: (text: string) => void;
  #onData: (bytes: Bytes) => void = () => {};
  #onEnd: () => void = () => {};
  #onTaken: () => void = () => {};

  constructor(style: ConsoleLineStyle, columns = 80, onWrite: (text: string) => void = () => {}) {
    this.style = style;
    this.columns = columns;
    this.#onWrite = onWrite;
  }

  onData(listener: (bytes: Bytes) => void): void {
    this.#onData = listener;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  onTaken(listener: () => void): void {
    this.#onTaken = listener;
  }

  write(text: string): void {
    this.written += text;
    if (!this.reads) this.pending += text.length;
    this.#onWrite(text);
  }

  close(): void {
    this.closed = true;
  }

  type(input: string | Bytes): void {
    this.#onData(typeof input === 'string' ? utf8(input) : input);
  }

  take(): void {
    this.pending = 0;
    this.#onTaken();
  }

  hangUp(): void {
    this.#onEnd();
  }
}
