import { type TextLine, Transcript, withoutEscapes } from './text-line.ts';

/** The prompt of the maintenance console is the box's name; nothing follows it while a line is awaited. */
const promptAtEnd = /(?:^|\n)([a-z0-9][a-z0-9-]*)> $/i;
const nameQuestion = /Type the name of this box \(([^)]+)\)/;

export interface CommandOptions {
  readonly timeoutMs?: number;
}

/** A person at the maintenance console. */
export class BoxConsole {
  readonly #line: TextLine;
  readonly #transcript: Transcript;

  constructor(line: TextLine) {
    this.#line = line;
    this.#transcript = new Transcript(line);
  }

  /** Everything that was on the line: boot loader, kernel, console. */
  get transcript(): string {
    return this.#transcript.text;
  }

  type(text: string): void {
    this.#line.write(text);
  }

  /** Waits for something in what comes after all that was waited for before. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return this.#transcript.waitFor(pattern, timeoutMs);
  }

  /** Forgets what came before. */
  skip(): void {
    this.#transcript.skip();
  }

  /** Presses Enter until the console answers with its prompt; returns the box's name. */
  async greet(timeoutMs: number): Promise<string> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      this.skip();
      this.type('\r');
      const name = await this.#prompt(Math.min(2000, timeoutMs)).catch(() => undefined);
      if (name !== undefined) return name;
      if (performance.now() > endMs) throw new Error(`no prompt on the serial line: ${this.#last()}`);
    }
  }

  /** Types a command and returns the lines that it answers. */
  async command(words: string, { timeoutMs = 20_000 }: CommandOptions = {}): Promise<readonly string[]> {
    await this.greet(timeoutMs);
    this.skip();
    this.type(`${words}\r`);
    return this.#answer(words, timeoutMs);
  }

  /** The same for one that asks for the box's name first, as everything does that cannot be undone. */
  async dangerousCommand(
    words: string,
    { timeoutMs = 20_000 }: CommandOptions = {},
  ): Promise<readonly string[]> {
    const name = await this.greet(timeoutMs);
    this.skip();
    this.type(`${words}\r`);
    await this.#transcript.waitFor(nameQuestion, timeoutMs);
    await this.#transcript.waitFor(/name: /, timeoutMs);
    this.type(`${name}\r`);
    return this.#answer(words, timeoutMs);
  }

  /** As {@link dangerousCommand}, without waiting for its end: it ends the console too. */
  async lastCommand(words: string, timeoutMs = 20_000): Promise<void> {
    const name = await this.greet(timeoutMs);
    this.skip();
    this.type(`${words}\r`);
    await this.#transcript.waitFor(nameQuestion, timeoutMs);
    await this.#transcript.waitFor(/name: /, timeoutMs);
    this.type(`${name}\r`);
  }

  /** What `COMMAND --json` answers. */
  async json<T>(words: string, options: CommandOptions = {}): Promise<T> {
    const lines = await this.command(`${words} --json`, options);
    const line = lines.find((each) => /^[[{]/.test(each));
    if (line === undefined) throw new Error(`${words} --json answered: ${lines.join(' / ')}`);
    return JSON.parse(line) as T;
  }

  async #answer(words: string, timeoutMs: number): Promise<readonly string[]> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const heard = withoutEscapes(this.#transcript.unread);
      if (promptAtEnd.test(heard) && heard.includes('\n')) {
        this.skip();
        return heard.split('\n').slice(1, -1);
      }
      if (performance.now() > endMs)
        throw new Error(`no answer to ${words} within ${timeoutMs / 1000} s: ${this.#last()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #prompt(timeoutMs: number): Promise<string> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const name = promptAtEnd.exec(withoutEscapes(this.#transcript.unread))?.[1];
      if (name !== undefined) return name;
      if (performance.now() > endMs) throw new Error('no prompt');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #last(): string {
    return withoutEscapes(this.#transcript.text).trimEnd().split('\n').slice(-5).join('\n  ');
  }
}
