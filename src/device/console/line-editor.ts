import type { Bytes } from '../../base/bytes.ts';
import { characterWidth, fitText, textWidth, wrapText } from '../../base/format.ts';
import { consoleHistoryLinesMax, consoleLineCharactersMax } from '../../base/limits.ts';
import type { ConsoleLineStyle } from '../../ports/terminal-line.ts';
import { type Key, KeyDecoder, type KeyName } from './key-decoder.ts';

export interface LineEditorOptions {
  readonly style: ConsoleLineStyle;
  /** Cells in a row, asked at every redraw: a window may be resized. */
  readonly columns: () => number;
  /** What the last word of `before` (the text left of the cursor) may become. */
  readonly complete: (before: string) => Completion;
}

export interface Completion {
  /** The end of the text that is being completed. */
  readonly word: string;
  /** Words that begin with it. */
  readonly candidates: readonly string[];
}

export type EditorEvent =
  | { readonly kind: 'line'; readonly text: string }
  /** Ctrl-C threw away what was typed. */
  | { readonly kind: 'cancelled' }
  /** Ctrl-C on an empty line: stop. */
  | { readonly kind: 'interrupt' }
  /** Ctrl-D on an empty line: leave. */
  | { readonly kind: 'leave' };

export interface Fed {
  /** Bytes taken; fewer than given only when an event ended the line. */
  readonly consumed: number;
  /** What to write to the terminal now. */
  readonly echo: string;
  readonly event: EditorEvent | undefined;
}

const bell = '\x07';

/** Keys that would put into a line what was not typed, or show words: not while nothing of it is shown. */
const unseenKeys: ReadonlySet<Key['name']> = new Set(['tab', 'up', 'down']);

/**
 * Edits one line at a time in bounded memory. Does no input or output: bytes come in, text to write and events go
 * out. The line stays in one row of the terminal and scrolls sideways when it is longer, so that redrawing it
 * never depends on where the row wraps.
 */
export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #keys = new KeyDecoder();
  readonly #history: string[] = [];
  #historyIndex = 0;
  #draft: readonly string[] = [];
  #prompt = '';
  #remembers = true;
  #hidden = false;
  #open = false;
  #characters: string[] = [];
  #cursor = 0;
  #echo = '';
  #stale = false;

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  /**
   * Opens a new line; returns the text to write. `remember`: whether it goes into the history; `hidden`: nothing of it
   * is shown.
   */
  begin(prompt: string, options: { readonly remember?: boolean; readonly hidden?: boolean } = {}): string {
    this.#prompt = prompt;
    this.#hidden = options.hidden ?? false;
    this.#remembers = (options.remember ?? true) && !this.#hidden;
    this.#open = true;
    this.#set([]);
    this.#historyIndex = this.#history.length;
    this.#draft = [];
    this.#stale = false;
    return this.#options.style === 'plain' ? '' : this.#shownPrompt();
  }

  /** Takes bytes from `offset` on, up to the first that ends the line. A line must be open. */
  feed(bytes: Bytes, offset = 0): Fed {
    this.#echo = '';
    let at = offset;
    let event: EditorEvent | undefined;
    while (at < bytes.length && event === undefined) {
      const key = this.#keys.push(bytes[at++]!);
      if (key !== undefined) event = this.#press(key);
    }
    if (event !== undefined) this.#open = false;
    else if (this.#stale) this.#echo += this.#redraw();
    if (this.#hidden) this.#echo = event === undefined ? '' : '\r\n';
    if (this.#options.style === 'plain') this.#echo = '';
    return { consumed: at - offset, echo: this.#echo, event };
  }

  /** What is in the line when the input ends without Enter; the line is closed. Empty when there is nothing. */
  finish(): string {
    const text = this.#characters.join('');
    this.#set([]);
    this.#open = false;
    return text;
  }

  /** The text to write so that `lines` appear above the line that is being typed. */
  above(lines: readonly string[]): string {
    const { style } = this.#options;
    if (style === 'plain') return lines.map((line) => `${line}\n`).join('');
    const text = lines.map((line) => `${line}\r\n`).join('');
    if (!this.#open) return text;
    return style === 'ansi' ? `\r\x1b[K${text}${this.#redraw()}` : `\r\n${text}${this.#redraw()}`;
  }

  #press(key: Key): EditorEvent | undefined {
    if (this.#hidden && unseenKeys.has(key.name)) return undefined;
    switch (key.name) {
      case 'text':
        this.#insert([key.text]);
        return undefined;
      case 'enter':
        return this.#enter();
      case 'interrupt':
        this.#echo += '^C\r\n';
        return { kind: this.#clear() ? 'cancelled' : 'interrupt' };
      case 'end-of-input':
        if (this.#characters.length === 0) {
          this.#echo += '\r\n';
          return { kind: 'leave' };
        }
        this.#erase(this.#cursor, this.#cursor + 1);
        return undefined;
      case 'tab':
        this.#complete();
        return undefined;
      case 'up':
      case 'down':
        this.#recall(key.name === 'up' ? -1 : 1);
        return undefined;
      default:
        this.#edit(key.name);
        return undefined;
    }
  }

  #edit(name: KeyName): void {
    const end = this.#characters.length;
    if (name === 'backspace') this.#erase(this.#cursor - 1, this.#cursor);
    else if (name === 'delete') this.#erase(this.#cursor, this.#cursor + 1);
    else if (name === 'erase-before') this.#erase(0, this.#cursor);
    else if (name === 'erase-after') this.#erase(this.#cursor, end);
    else if (name === 'erase-word') this.#erase(this.#wordStart(), this.#cursor);
    else if (name === 'left') this.#moveTo(this.#cursor - 1);
    else if (name === 'right') this.#moveTo(this.#cursor + 1);
    else if (name === 'home') this.#moveTo(0);
    else if (name === 'end') this.#moveTo(end);
  }

  #enter(): EditorEvent {
    if (this.#stale) this.#echo += this.#redraw();
    this.#echo += '\r\n';
    const text = this.#characters.join('');
    this.#set([]);
    if (this.#remembers && text.trim() !== '' && text !== this.#history.at(-1)) {
      this.#history.push(text);
      if (this.#history.length > consoleHistoryLinesMax) this.#history.shift();
    }
    return { kind: 'line', text };
  }

  #clear(): boolean {
    const had = this.#characters.length > 0;
    this.#set([]);
    return had;
  }

  #insert(inserted: readonly string[]): void {
    if (this.#characters.length + inserted.length > consoleLineCharactersMax) {
      this.#ring();
      return;
    }
    const atEnd = this.#cursor === this.#characters.length;
    this.#characters.splice(this.#cursor, 0, ...inserted);
    this.#cursor += inserted.length;
    const fits = this.#options.style === 'dumb' || this.#usedCells() < this.#options.columns();
    // At the end of a line that fits, the characters themselves are the whole redraw.
    if (atEnd && fits && !this.#stale) this.#echo += inserted.join('');
    else this.#stale = true;
  }

  #erase(from: number, to: number): void {
    const start = Math.max(0, from);
    const erased = this.#characters.splice(start, to - start);
    if (erased.length === 0) return;
    this.#cursor = start;
    // A dumb terminal has its cursor at the end always, so what is erased was the end.
    if (this.#options.style === 'dumb') this.#echo += backOver(erased);
    else this.#stale = true;
  }

  #moveTo(cursor: number): void {
    const moved = Math.min(this.#characters.length, Math.max(0, cursor));
    if (moved === this.#cursor || this.#options.style === 'dumb') return;
    this.#cursor = moved;
    this.#stale = true;
  }

  #recall(direction: number): void {
    const index = this.#historyIndex + direction;
    if (index < 0 || index > this.#history.length) return;
    if (this.#historyIndex === this.#history.length) this.#draft = this.#characters;
    this.#historyIndex = index;
    const recalled = index === this.#history.length ? this.#draft : [...this.#history[index]!];
    if (this.#options.style === 'dumb') this.#echo += backOver(this.#characters) + recalled.join('');
    this.#set(recalled);
    this.#stale = this.#options.style === 'ansi';
  }

  #complete(): void {
    const before = this.#characters.slice(0, this.#cursor).join('');
    const { word, candidates } = this.#options.complete(before);
    const common = commonStart(candidates);
    if (candidates.length === 0) {
      this.#ring();
    } else if (candidates.length === 1) {
      this.#insert([...`${common.slice(word.length)} `]);
    } else if (common.length > word.length) {
      this.#insert([...common.slice(word.length)]);
    } else if (this.#options.style !== 'plain') {
      const list = wrapText(candidates.join('  '), this.#options.columns() - 1);
      this.#echo += `\r\n${list.join('\r\n')}\r\n${this.#redraw()}`;
    }
  }

  #wordStart(): number {
    let start = this.#cursor;
    while (start > 0 && this.#characters[start - 1] === ' ') start--;
    while (start > 0 && this.#characters[start - 1] !== ' ') start--;
    return start;
  }

  #set(characters: readonly string[]): void {
    this.#characters = [...characters];
    this.#cursor = characters.length;
  }

  /** Once for each stretch of input: a megabyte of garbage must not become a megabyte of bells. */
  #ring(): void {
    if (!this.#echo.includes(bell)) this.#echo += bell;
  }

  #usedCells(): number {
    return textWidth(this.#shownPrompt()) + widthOf(this.#characters);
  }

  /** A prompt never takes so much of a narrow row that nothing can be typed. */
  #shownPrompt(): string {
    return fitText(this.#prompt, Math.max(1, this.#options.columns() - 12));
  }

  #redraw(): string {
    this.#stale = false;
    const prompt = this.#shownPrompt();
    if (this.#hidden) return `\r${prompt}`;
    if (this.#options.style !== 'ansi') return `${prompt}${this.#characters.join('')}`;
    const room = Math.max(4, this.#options.columns() - 1 - textWidth(prompt));
    const [start, end] = this.#visibleRange(room);
    const visible = this.#characters.slice(start, end);
    const cursorCell = textWidth(prompt) + widthOf(this.#characters.slice(start, this.#cursor));
    const back = this.#cursor === end ? '' : cursorCell === 0 ? '\r' : `\r\x1b[${cursorCell}C`;
    return `\r${prompt}${visible.join('')}\x1b[K${back}`;
  }

  /** The part of the line, around the cursor, that fits into `room` cells. */
  #visibleRange(room: number): readonly [number, number] {
    let start = this.#cursor;
    let used = 0;
    while (start > 0) {
      used += characterWidth(this.#characters[start - 1]!);
      if (used > room) break;
      start--;
    }
    let end = start;
    used = 0;
    while (end < this.#characters.length) {
      used += characterWidth(this.#characters[end]!);
      if (used > room) break;
      end++;
    }
    return [start, end];
  }
}

function widthOf(characters: readonly string[]): number {
  let width = 0;
  for (const character of characters) width += characterWidth(character);
  return width;
}

function backOver(characters: readonly string[]): string {
  return '\b \b'.repeat(widthOf(characters));
}

function commonStart(words: readonly string[]): string {
  const first = words[0] ?? '';
  let length = first.length;
  for (const word of words) while (!word.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}
