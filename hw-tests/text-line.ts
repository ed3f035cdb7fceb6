import { setTimeout as delay } from 'node:timers/promises';

/** A serial line as text: what comes is heard, what is written is typed. */
export interface TextLine {
  write(text: string): void;
  onText(listener: (text: string) => void): void;
}

/** More than any test prints; what is older is forgotten. */
const transcriptCharactersMax = 4 * 1024 * 1024;
const pollMs = 10;

/** Everything that was heard on a line, and waiting for more of it. */
export class Transcript {
  readonly #slowness: number;
  #text = '';
  /** What comes before has been read. */
  #read = 0;

  /** `slowness`: how many times as long as it is told to it waits. */
  constructor(line: TextLine, slowness = 1) {
    this.#slowness = slowness;
    line.onText((text) => this.#append(text));
  }

  get text(): string {
    return this.#text;
  }

  /** What was heard and not yet read. */
  get unread(): string {
    return this.#text.slice(this.#read);
  }

  /** Takes everything heard so far as read. */
  skip(): void {
    this.#read = this.#text.length;
  }

  /** Waits until `pattern` is in what is unread, and takes it as read up to there. */
  async waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const waitMs = timeoutMs * this.#slowness;
    const endMs = performance.now() + waitMs;
    for (;;) {
      const match = pattern.exec(this.unread);
      if (match !== null) {
        this.#read += match.index + match[0].length;
        return match;
      }
      if (performance.now() > endMs) throw new Error(this.#silence(pattern, waitMs));
      await delay(pollMs);
    }
  }

  #append(text: string): void {
    this.#text += text;
    const over = this.#text.length - transcriptCharactersMax;
    if (over <= 0) return;
    this.#text = this.#text.slice(over);
    this.#read = Math.max(0, this.#read - over);
  }

  #silence(pattern: RegExp, timeoutMs: number): string {
    const said = withoutEscapes(this.unread).trimEnd().split('\n').slice(-8).join('\n  ');
    return `not on the serial line within ${timeoutMs / 1000} s: ${pattern}; what was there:\n  ${said}`;
  }
}

/** The text without what moves the cursor of a terminal. */
export function withoutEscapes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/\x1b(\[[0-9;?!]*[A-Za-z]|[78=>])|\r/g, '');
}
