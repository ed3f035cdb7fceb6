import type { Bytes } from '../base/bytes.ts';

/** A line of bytes with a person, or a program, at its other end: a terminal, a serial port, a pipe. */
export interface ConsoleLine {
  /**
   * `ansi`: echoes nothing itself and obeys cursor movement; `dumb`: echoes nothing itself and obeys backspace
   * only; `plain`: no terminal at all (a pipe), so no prompt, no echo and no editing.
   */
  readonly style: ConsoleLineStyle;
  /** Cells in a row, now; 80 where nobody knows. */
  readonly columns: number;
  /** Called with any split of the input, once there is a listener; set once. No byte is lost before. */
  onData(listener: (bytes: Bytes) => void): void;
  /** Called once when the other end is gone. */
  onEnd(listener: () => void): void;
  /** Bytes that were written and not taken yet; 0 where `write` itself waits. The writer bounds them. */
  readonly pending: number;
  /** Called when some of them were taken; set once. */
  onTaken(listener: () => void): void;
  /** Sends text as it is. The writer ends lines with CR LF, and with LF where the style is `plain`. */
  write(text: string): void;
  /** Gives the terminal back as it was found; nothing is read or written afterwards. */
  close(): void;
}

export type ConsoleLineStyle = 'ansi' | 'dumb' | 'plain';
