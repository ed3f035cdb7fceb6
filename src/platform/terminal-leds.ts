import { fitText, printable } from '../base/format.ts';
import type { LedDisplay, LedPort } from '../ports/leds.ts';
import type { TerminalEnvironment, TerminalOutput } from './terminal-line.ts';

export interface TerminalLedsOptions {
  readonly output?: TerminalOutput;
  readonly environment?: TerminalEnvironment;
  /** Where lines go when the lights cannot be drawn; default: the output. A console prints them above its prompt. */
  readonly print?: (line: string) => void;
}

/** A window with fewer rows than this needs them all for text. */
const rowsMin = 6;

const save = '\x1b7';
const restore = '\x1b8';
const eraseBelow = '\x1b[J';
const oneDown = '\x1bD';
const oneUp = '\x1b[1A';
const wholeScreen = '\x1b[r';
const plain = '\x1b[0m';
const green = '\x1b[32m';
const amber = '\x1b[33m';
const dim = '\x1b[2m';

/**
 * The lights drawn on a terminal's last row, below a scrolling region that holds everything else, so that they can
 * blink without touching what is being typed: the cursor is saved, the row drawn and the cursor put back in one
 * write. Where that cannot be done (a pipe, a dumb terminal, a tiny window) each change of state is one line of text.
 */
export class TerminalLeds implements LedPort {
  readonly #output: TerminalOutput;
  readonly #coloured: boolean;
  readonly #drawable: boolean;
  readonly #print: (line: string) => void;
  #display: LedDisplay | undefined;
  /** Rows of the window the region was set for; 0 when there is none. */
  #rows = 0;
  #printedRhythm = '';
  #closed = false;
  readonly #giveBack = () => this.#leave();

  constructor(options: TerminalLedsOptions = {}) {
    this.#output = options.output ?? process.stdout;
    const environment = options.environment ?? process.env;
    const terminal =
      this.#output.isTTY === true && environment.TERM !== undefined && environment.TERM !== 'dumb';
    this.#drawable = terminal;
    // https://no-color.org: any value that is not empty.
    this.#coloured = terminal && (environment.NO_COLOR === undefined || environment.NO_COLOR === '');
    this.#print = options.print ?? ((line) => this.#output.write(`${line}\n`));
    if (!terminal) return;
    this.#output.on('resize', () => this.#resize());
    process.once('exit', this.#giveBack);
  }

  show(display: LedDisplay): void {
    if (this.#closed) return;
    this.#display = display;
    if (this.#fits()) {
      if (this.#rows === 0) this.#enter();
      this.#draw(display);
    } else if (display.rhythm !== this.#printedRhythm) {
      this.#printedRhythm = display.rhythm;
      this.#print(`lights: ${caption(display)}`);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    process.removeListener('exit', this.#giveBack);
  }

  #fits(): boolean {
    return this.#drawable && (this.#output.rows ?? 0) >= rowsMin;
  }

  #resize(): void {
    if (this.#closed) return;
    this.#leave();
    if (this.#display !== undefined && this.#fits()) this.show(this.#display);
  }

  /**
   * Frees the last row (one row down, scrolling where that is the end, and up again: IND keeps the column, a line
   * feed would not), then keeps all other text above it.
   */
  #enter(): void {
    this.#rows = this.#output.rows!;
    this.#output.write(`${oneDown}${save}\x1b[1;${this.#rows - 1}r${restore}${oneUp}`);
  }

  #leave(): void {
    if (this.#rows === 0) return;
    this.#rows = 0;
    this.#output.write(`${save}${wholeScreen}${restore}${eraseBelow}`);
  }

  #draw(display: LedDisplay): void {
    const words = fitText(caption(display), Math.max(1, (this.#output.columns ?? 80) - 7));
    const lights = `${this.#light(display.green, green)} ${this.#light(display.amber, amber)}`;
    const text = this.#coloured ? `${dim}${words}${plain}` : words;
    this.#output.write(`${save}\x1b[${this.#rows};1H ${lights}  ${text}\x1b[K${restore}`);
  }

  #light(level: number, colour: string): string {
    const symbol = level > 0 && (level >= 0.5 || this.#coloured) ? '●' : '○';
    if (!this.#coloured || level === 0) return symbol;
    return `${colour}${level < 0.5 ? dim : ''}${symbol}${plain}`;
  }
}

function caption(display: LedDisplay): string {
  return printable(`${display.rhythm}: ${display.headline}`);
}
