import { characterWidth } from '../base/format.ts';

/**
 * What a person would see: a screen of any height that obeys CR, LF, backspace, `CSI K` and `CSI n C`, wraps at its
 * last column, and refuses every other control, so that a test fails when one is used.
 */
export class TerminalScreen {
  readonly #columns: number;
  readonly #obeysEscapes: boolean;
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, options: { readonly obeysEscapes: boolean } = { obeysEscapes: true }) {
    this.#columns = columns;
    this.#obeysEscapes = options.obeysEscapes;
  }

  get cursorColumn(): number {
    return this.#column;
  }

  /** The rows as text, from the first to the last one written to. */
  lines(): readonly string[] {
    return this.#rows.map((row) => Array.from(row, (cell) => cell ?? ' ').join(''));
  }

  write(text: string): void {
    let rest = text;
    while (rest !== '') {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences are what a terminal reads
      const sequence = this.#obeysEscapes ? /^\x1b\[(\d*)([KC])/.exec(rest) : null;
      if (sequence !== null) {
        this.#obey(sequence[2]!, Number(sequence[1] || '1'));
        rest = rest.slice(sequence[0].length);
        continue;
      }
      const character = String.fromCodePoint(rest.codePointAt(0)!);
      this.#put(character);
      rest = rest.slice(character.length);
    }
  }

  #obey(letter: string, count: number): void {
    if (letter === 'C') this.#column = Math.min(this.#columns - 1, this.#column + count);
    else this.#rows[this.#row]!.length = Math.min(this.#rows[this.#row]!.length, this.#column);
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0;
    else if (character === '\n') this.#lineFeed();
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character !== '\x07') this.#draw(character);
  }

  #draw(character: string): void {
    if (character < ' ' || character === '\x7f') throw new Error(`control ${JSON.stringify(character)}`);
    const width = characterWidth(character);
    if (this.#column + width > this.#columns) {
      this.#lineFeed();
      this.#column = 0;
    }
    const row = this.#rows[this.#row]!;
    while (row.length < this.#column) row.push(' ');
    if (width === 0) {
      row[this.#column - 1] = `${row[this.#column - 1] ?? ''}${character}`;
      return;
    }
    row[this.#column] = character;
    // The second cell of a wide character is there, and empty.
    if (width === 2) row[this.#column + 1] = '';
    this.#column += width;
  }

  #lineFeed(): void {
    this.#row++;
    if (this.#row === this.#rows.length) this.#rows.push([]);
  }
}
