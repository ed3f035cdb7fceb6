/**
 * An error of the world (a peer, a disk, a person's input), as opposed to a bug of ours, which is an
 * `assert`. Every folder of `src/` owns a union of codes; a code is stable and documented, a message is for people.
 */
export class AetherError<Code extends string = string> extends Error {
  override readonly name = 'AetherError';
  readonly code: Code;
  /** Plain data that a log line or a `--json` answer may carry: never keys, codes or plaintext names. */
  readonly fields: ErrorFields;
  /** What the person in front of it can do about it; one sentence, or empty. */
  readonly help: string;

  constructor(code: Code, message: string, options: AetherErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? {};
    this.help = options.help ?? '';
  }
}

export type ErrorFields = Readonly<Record<string, string | number | boolean>>;

export interface AetherErrorOptions {
  readonly fields?: ErrorFields;
  readonly help?: string;
  readonly cause?: unknown;
}

/** True when `error` is an {@link AetherError} that carries `code`. */
export function hasCode<Code extends string>(error: unknown, code: Code): error is AetherError<Code> {
  return error instanceof AetherError && error.code === code;
}

/** The error as one line for a log: its code where it has one, then its message. */
export function describeError(error: unknown): string {
  if (error instanceof AetherError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** What a person is told, where the code is shown beside it. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
