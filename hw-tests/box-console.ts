import { setTimeout as delay } from 'node:timers/promises';
import { type TextLine, Transcript, withoutEscapes } from './text-line.ts';

/** The prompt of the maintenance console is the box's name; nothing follows it while a line is awaited. */
const promptAtEnd = /(?:^|\n)([a-z0-9][a-z0-9-]*)> $/i;
/** For a box whose slowness is 1: an emulated one that was just brought back to a moment takes its time. */
const patienceMs = 90_000;
/** One more Enter means one more prompt: not too soon. */
const enterAgainMs = 8000;
const quietMs = 250;
const nameQuestion = /Type the name of this box \(([^)]+)\)/;

export interface CommandOptions {
  /** Of a box whose slowness is 1, as everywhere here. */
  readonly timeoutMs?: number;
}

/** A person at the maintenance console. */
export class BoxConsole {
  readonly #line: TextLine;
  readonly #slowness: number;
  readonly #transcript: Transcript;

  /** `slowness`: as the target has it; everything is waited for so many times as long. */
  constructor(line: TextLine, slowness = 1) {
    this.#line = line;
    this.#slowness = slowness;
    this.#transcript = new Transcript(line, slowness);
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
  async greet(timeoutMs = patienceMs): Promise<string> {
    const endMs = performance.now() + timeoutMs * this.#slowness;
    this.skip();
    for (;;) {
      this.type('\r');
      const name = await this.#prompt(Math.min(enterAgainMs, timeoutMs));
      if (name !== undefined) {
        await this.#quiet();
        return name;
      }
      if (performance.now() > endMs) throw new Error(`no prompt on the serial line: ${this.#last()}`);
    }
  }

  /** Types a command and returns the lines that it answers. */
  async command(words: string, { timeoutMs = patienceMs }: CommandOptions = {}): Promise<readonly string[]> {
    await this.greet(timeoutMs);
    this.skip();
    this.type(`${words}\r`);
    return this.#answer(words, timeoutMs);
  }

  /** The same for one that asks for the box's name first, as everything does that cannot be undone. */
  async dangerousCommand(
    words: string,
    { timeoutMs = patienceMs }: CommandOptions = {},
  ): Promise<readonly string[]> {
    // What is typed last is the name.
    return this.#answer(await this.#begin(words, timeoutMs), timeoutMs);
  }

  /** As {@link dangerousCommand}, without waiting for its end: it ends the console too. */
  async lastCommand(words: string, timeoutMs = patienceMs): Promise<void> {
    await this.#begin(words, timeoutMs);
  }

  /** What `COMMAND --json` answers. */
  async json<T>(words: string, options: CommandOptions = {}): Promise<T> {
    const lines = await this.command(`${words} --json`, options);
    const line = lines.find((each) => /^[[{]/.test(each));
    if (line === undefined) throw new Error(`${words} --json answered: ${lines.join(' / ')}`);
    return JSON.parse(line) as T;
  }

  /** Types the command and then the name that is asked for; returns the name. */
  async #begin(words: string, timeoutMs: number): Promise<string> {
    const name = await this.greet(timeoutMs);
    this.skip();
    this.type(`${words}\r`);
    await this.#transcript.waitFor(nameQuestion, timeoutMs);
    await this.#transcript.waitFor(/name: /, timeoutMs);
    this.type(`${name}\r`);
    return name;
  }

  async #answer(words: string, timeoutMs: number): Promise<readonly string[]> {
    const endMs = performance.now() + timeoutMs * this.#slowness;
    for (;;) {
      const heard = withoutEscapes(this.#transcript.unread);
      const echo = heard.indexOf(words);
      if (echo >= 0 && promptAtEnd.test(heard.slice(echo + words.length))) {
        this.skip();
        return heard.slice(echo).split('\n').slice(1, -1);
      }
      if (performance.now() > endMs)
        throw new Error(
          `no answer to ${words} within ${(timeoutMs * this.#slowness) / 1000} s: ${this.#last()}`,
        );
      await delay(10);
    }
  }

  async #prompt(timeoutMs: number): Promise<string | undefined> {
    const endMs = performance.now() + timeoutMs * this.#slowness;
    for (;;) {
      const name = promptAtEnd.exec(withoutEscapes(this.#transcript.unread))?.[1];
      if (name !== undefined || performance.now() > endMs) return name;
      await delay(10);
    }
  }

  /** Waits until nothing more comes, of an Enter before. */
  async #quiet(): Promise<void> {
    for (let length = -1; length !== this.#transcript.text.length; await delay(quietMs))
      length = this.#transcript.text.length;
  }

  #last(): string {
    return withoutEscapes(this.#transcript.text).trimEnd().split('\n').slice(-5).join('\n  ');
  }
}
