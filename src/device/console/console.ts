import { type Bytes, concat } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { consoleIdleLockMs, consoleOutputBytesMax, consoleOutputLowBytes } from '../../base/face-limits.ts';
import { printable } from '../../base/format.ts';
import { consoleInputBytesMax } from '../../base/limits.ts';
import type { LogLevel } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ConsoleLine } from '../../ports/terminal-line.ts';
import { type CommandResult, type ConsoleContext, failed } from './command.ts';
import { completeCommand, isOpen, runCommandLine } from './commands.ts';
import { type EditorEvent, LineEditor } from './line-editor.ts';
import { piecesOf } from './pieces.ts';
import { logLine } from './read-commands.ts';
import { bannerLines } from './views.ts';

/**
 * Why a console ended. `interrupt`: Ctrl-C on an empty line, the person wants the box to stop. `leave`: Ctrl-D, the
 * person wants the console closed. `hang-up`: the other end of the line is gone.
 */
export type ConsoleEnd = 'interrupt' | 'leave' | 'hang-up';

export interface ConsoleOptions {
  readonly line: ConsoleLine;
  readonly context: ConsoleContext;
  /** Lines that a person should see first, after how the box is. Without them a pipe gets no banner. */
  readonly greeting?: readonly string[];
  /** Log entries from this level on appear above the prompt; `none` for none. Default `warn`. */
  readonly logLevel?: LogLevel | 'none';
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const interruptByte = 0x03;

type Mode = 'prompt' | 'running' | 'asking' | 'ended';

/**
 * The maintenance console on one line. One command at a time: what is typed meanwhile waits (up to a bound), and
 * Ctrl-C stops the command; a second Ctrl-C, when the command does not obey, ends the console.
 */
export class Console {
  /** Resolves once, with why. The line is then still open: the caller closes it or starts another console. */
  readonly ended: Promise<ConsoleEnd>;
  readonly #line: ConsoleLine;
  readonly #context: ConsoleContext;
  readonly #greeting: readonly string[] | undefined;
  readonly #clock: Clock;
  readonly #logLevel: number;
  #following = false;
  readonly #editor: LineEditor;
  readonly #end: (reason: ConsoleEnd) => void;
  #mode: Mode = 'prompt';
  #waiting: Bytes = new Uint8Array(0);
  #hungUp = false;
  /** Who typed last has given the maintenance PIN. */
  #unlocked = false;
  #typedMs = 0;
  #abort = new AbortController();
  #answer: ((answer: string | undefined) => void) | undefined;
  #asksPin = false;
  /** Lines that there was no room for, and nobody was told of. */
  #leftOut = 0;
  /** The last piece of an answer ended within a line. */
  #isWithinLine = false;
  /** An answer that waits looks again whether it may go on. */
  #goOn: () => void = () => {};
  #stopFollowing: () => void = () => {};

  constructor(options: ConsoleOptions, { clock }: { readonly clock: Clock }) {
    const { line, context, logLevel = 'warn' } = options;
    this.#line = line;
    this.#context = context;
    this.#greeting = options.greeting;
    this.#clock = clock;
    this.#logLevel = logLevel === 'none' ? levels.length : levels.indexOf(logLevel);
    this.#editor = new LineEditor({
      style: line.style,
      columns: () => line.columns,
      complete: completeCommand,
    });
    const { promise, resolve } = Promise.withResolvers<ConsoleEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** Shows the banner and the prompt, and listens. */
  start(): void {
    this.#greet();
    this.#stopFollowing = this.#context.log.follow((entry) => {
      if (this.#following || levels.indexOf(entry.level) >= this.#logLevel) this.print(logLine(entry));
    });
    this.#prompt();
    this.#line.onData((bytes) => this.#receive(bytes));
    this.#line.onEnd(() => this.#hangUp());
    this.#line.onTaken(() => this.#onTaken());
  }

  #greet(): void {
    const { columns, style } = this.#line;
    // A program at the other end of a pipe reads answers, not greetings.
    if (style === 'plain' && this.#greeting === undefined) return;
    const lines = [
      ...bannerLines(this.#context.control.status(), columns),
      ...(this.#greeting ?? []),
      'Type help to see what can be asked.',
    ];
    this.#write(lines.map((line) => `${line}${this.#lineEnd}`).join(''));
  }

  /** Shows a line of text above whatever is being typed. */
  print(text: string): void {
    if (this.#mode === 'ended') return;
    if (this.#isWithinLine) this.#leftOut++;
    else this.#write(this.#editor.above([printable(text)]));
  }

  /** Stops listening; a running command is told to stop. */
  close(): void {
    this.#finish('leave');
  }

  #receive(bytes: Bytes): void {
    if (this.#mode === 'ended') return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#typedMs >= consoleIdleLockMs) this.#forgetWho();
    this.#typedMs = nowMs;
    const interrupt = this.#mode === 'running' ? bytes.lastIndexOf(interruptByte) : -1;
    if (interrupt >= 0) {
      this.#waiting = bytes.subarray(interrupt + 1, interrupt + 1 + consoleInputBytesMax);
      if (this.#abort.signal.aborted) this.#finish('interrupt');
      else this.#interrupt();
      return;
    }
    if (this.#mode === 'running') {
      const room = consoleInputBytesMax - this.#waiting.length;
      if (room > 0) this.#waiting = concat([this.#waiting, bytes.slice(0, room)]);
      return;
    }
    this.#waiting = bytes;
    this.#feed();
  }

  /**
   * Nobody typed for long: this may be somebody else, as a serial line tells nobody when a person walks away from it. The
   * question for the PIN stays open.
   */
  #forgetWho(): void {
    this.#unlocked = false;
    if (this.#mode !== 'asking' || this.#asksPin || !this.#context.control.hasPin) return;
    this.#editor.finish();
    this.#write(this.#line.style === 'plain' ? '' : '\r\n');
    this.print('Nobody answered for long.');
    this.#reply(undefined);
  }

  #interrupt(): void {
    this.#write(this.#line.style === 'plain' ? '' : '^C\r\n');
    this.#abort.abort();
    this.#goOn();
  }

  /** Gives waiting bytes to the editor for as long as somebody wants a line. */
  #feed(): void {
    while (this.#waiting.length > 0 && (this.#mode === 'prompt' || this.#mode === 'asking')) {
      const { consumed, echo, event } = this.#editor.feed(this.#waiting);
      this.#waiting = this.#waiting.subarray(consumed);
      this.#write(echo);
      if (event !== undefined) this.#handle(event);
    }
    // Bytes that wait longer are kept apart from the buffer they came in, and bounded.
    this.#waiting = this.#waiting.slice(0, consoleInputBytesMax);
    if (this.#hungUp) this.#drain();
  }

  #handle(event: EditorEvent): void {
    if (this.#mode === 'asking') {
      this.#reply(event.kind === 'line' ? event.text : undefined);
    } else if (event.kind === 'line') {
      this.#start(event.text);
    } else if (event.kind === 'cancelled') {
      this.#prompt();
    } else {
      this.#finish(event.kind);
    }
  }

  #start(text: string): void {
    if (text.trim() === '') {
      this.#prompt();
      return;
    }
    this.#mode = 'running';
    this.#abort = new AbortController();
    void this.#run(text);
  }

  async #run(text: string): Promise<void> {
    const { lines, exitStatus } = (await this.#lock(text)) ?? (await this.#command(text));
    if (this.#isEnded()) return;
    // From now on Ctrl-C is meant for the answer.
    this.#abort = new AbortController();
    await this.#show(exitStatus === 0 ? lines : [...lines, `(exit status ${exitStatus})`]);
    if (this.#isEnded()) return;
    this.#prompt();
    this.#feed();
  }

  #command(text: string): Promise<CommandResult> {
    return runCommandLine(text, {
      box: this.#context,
      columns: this.#line.columns,
      wallMs: this.#clock.wallMs(),
      print: (line) => this.print(line),
      show: (lines) => this.#show(lines),
      followLog: () => this.#followLog(),
      ask: (question, options) => this.#ask(question, options?.hidden ?? false),
      signal: this.#abort.signal,
    });
  }

  /**
   * Asks for the maintenance PIN, where there is one and it was not given; the answer is why the command is not run. What
   * was typed ahead by who gave it is done, however long the command before took.
   */
  async #lock(text: string): Promise<CommandResult | undefined> {
    const { control } = this.#context;
    if (!control.hasPin || isOpen(text)) return undefined;
    if (this.#unlocked) return undefined;
    this.#asksPin = true;
    const pin = await this.#ask('PIN: ', true);
    this.#asksPin = false;
    if (pin === undefined) return { lines: ['Not done.'], exitStatus: 1 };
    try {
      this.#unlocked = await control.checkPin(pin);
      return this.#unlocked ? undefined : { lines: ['That is not the PIN.'], exitStatus: 1 };
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      return failed(error);
    }
  }

  #followLog(): () => void {
    this.#following = true;
    return () => {
      this.#following = false;
    };
  }

  #ask(question: string, hidden: boolean): Promise<string | undefined> {
    if (this.#isEnded() || this.#abort.signal.aborted) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#answer = resolve;
    this.#mode = 'asking';
    this.#write(this.#editor.begin(question, { remember: false, hidden }));
    this.#feed();
    return promise;
  }

  #reply(answer: string | undefined): void {
    this.#mode = 'running';
    this.#answer?.(answer);
    this.#answer = undefined;
  }

  /** What a pipe brought is done to its end; nobody sees any more what a terminal's person asked for. */
  #hangUp(): void {
    this.#hungUp = true;
    if (this.#line.style === 'plain') this.#drain();
    else this.#finish('hang-up');
  }

  /** After the last byte: what was not ended by Enter is a line too; then the console ends. */
  #drain(): void {
    if (this.#waiting.length > 0 || this.#mode === 'running' || this.#mode === 'ended') return;
    const text = this.#editor.finish();
    if (this.#mode === 'asking') this.#reply(text === '' ? undefined : text);
    else if (text.trim() !== '') this.#start(text);
    else this.#finish('hang-up');
  }

  #prompt(): void {
    this.#mode = 'prompt';
    this.#write(this.#editor.begin(`${printable(this.#context.control.status().box.name)}> `));
  }

  get #lineEnd(): string {
    return this.#line.style === 'plain' ? '\n' : '\r\n';
  }

  /** Writes lines as the other end takes them, until Ctrl-C. */
  async #show(lines: readonly string[]): Promise<void> {
    const { signal } = this.#abort;
    for (const piece of piecesOf(lines, this.#lineEnd)) {
      while (this.#line.pending > consoleOutputLowBytes && !signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
        });
      }
      if (this.#isEnded()) return;
      if (signal.aborted) {
        this.#write(`(The rest is not shown.)${this.#lineEnd}`);
        break;
      }
      this.#write(piece);
      this.#isWithinLine = !piece.endsWith('\n');
    }
    this.#isWithinLine = false;
    this.#tellLeftOut();
  }

  /** What there is no room for is left out, and counted. */
  #write(text: string): void {
    if (this.#line.pending + text.length <= consoleOutputBytesMax) this.#line.write(text);
    else this.#leftOut += Math.max(1, text.split('\n').length - 1);
  }

  #onTaken(): void {
    if (this.#line.pending > consoleOutputLowBytes) return;
    this.#tellLeftOut();
    this.#goOn();
  }

  #tellLeftOut(): void {
    if (this.#leftOut === 0 || this.#isWithinLine) return;
    const what = this.#leftOut === 1 ? '1 line was' : `${this.#leftOut} lines were`;
    this.#leftOut = 0;
    this.print(`(${what} left out here: too many came at once.)`);
  }

  #finish(reason: ConsoleEnd): void {
    if (this.#mode === 'ended') return;
    this.#mode = 'ended';
    this.#waiting = new Uint8Array(0);
    this.#stopFollowing();
    this.#abort.abort();
    this.#goOn();
    this.#answer?.(undefined);
    this.#end(reason);
  }

  #isEnded(): boolean {
    return this.#mode === 'ended';
  }
}
