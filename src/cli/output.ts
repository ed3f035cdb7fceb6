import type { CborValue } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Where `aether` writes: results to standard output, everything else to standard error. */
export interface Terminal {
  /** Both resolve with whether the system has taken all of `text`, and never reject. */
  out(text: string): Promise<boolean>;
  error(text: string): Promise<boolean>;
  /** Width of standard output, or undefined when it is no terminal. */
  readonly outColumns: number | undefined;
  /** Width of standard error, or undefined when it is no terminal. */
  readonly errorColumns: number | undefined;
  /** Asks one question on the terminal; undefined when nobody is there to answer. */
  ask(question: string): Promise<string | undefined>;
}

/** Says results and troubles, for people or (with `--json`) for programs. */
export class Output {
  readonly json: boolean;
  readonly #terminal: Terminal;
  #progressShown = false;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.json = json;
  }

  /** How wide a result may be: as wide as it is where nobody sees an edge. */
  get columns(): number {
    return this.#terminal.outColumns ?? Number.POSITIVE_INFINITY;
  }

  /** How wide the running state may be; undefined where it cannot be redrawn. */
  get progressColumns(): number | undefined {
    return this.#terminal.errorColumns;
  }

  /** A result: `value` with `--json`, else `lines`. Resolves with whether it was really written. */
  async result(value: JsonValue, lines: readonly string[]): Promise<boolean> {
    this.clearProgress();
    if (this.json) return this.#terminal.out(`${JSON.stringify(value)}\n`);
    return lines.length === 0 || this.#terminal.out(`${lines.join('\n')}\n`);
  }

  /** One event of a long run; without `--json` it is not shown. */
  event(value: JsonValue): void {
    if (this.json) this.#terminal.out(`${JSON.stringify(value)}\n`);
  }

  /** A remark for people, kept out of results. Resolves with whether it was really written. */
  note(text: string): Promise<boolean> {
    this.clearProgress();
    return this.#terminal.error(`${text}\n`);
  }

  /** The running state: redrawn in place on a terminal, a line of its own elsewhere; not shown with `--json`. */
  progress(text: string): void {
    if (this.json) return;
    if (this.#terminal.errorColumns === undefined) {
      this.#terminal.error(`${text}\n`);
      return;
    }
    this.#terminal.error(`\r\x1b[K${text}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (this.#progressShown) this.#terminal.error('\r\x1b[K');
    this.#progressShown = false;
  }

  /** Resolves with whether it was really written. */
  error(error: unknown): Promise<boolean> {
    this.clearProgress();
    const { code, message, help } = errorParts(error);
    if (this.json) return this.#terminal.out(`${JSON.stringify({ error: code, message, help })}\n`);
    return this.#terminal.error(`${errorLines('aether', error).join('\n')}\n`);
  }

  ask(question: string): Promise<string | undefined> {
    this.clearProgress();
    return this.#terminal.ask(question);
  }
}

/** An error for people: what went wrong, its code, and what to do. */
export function errorLines(program: string, error: unknown): readonly string[] {
  const { code, message, help } = errorParts(error);
  return [`${program}: ${message} (${code})`, ...(help === '' ? [] : [`  ${help}`])];
}

function errorParts(error: unknown): { code: string; message: string; help: string } {
  if (error instanceof AetherError) {
    const { code, message, help, fields } = error;
    // These name their file beside the message.
    const at = code.startsWith('LOCAL_') && typeof fields.path === 'string' ? `${fields.path}: ` : '';
    return { code, message: `${at}${message}`, help };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'INTERNAL',
    message,
    help: 'This is a defect; please report it with these lines.',
  };
}

/** CBOR from a box as JSON: byte strings become hexadecimal. */
export function jsonOf(value: CborValue): JsonValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, jsonOf(entry)]));
  }
  return value as string | number | boolean | null;
}
