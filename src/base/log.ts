/**
 * Structured log: a constant message plus fields. Never keys, codes, plaintext names or raw peer text at info
 * or above.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogValue = string | number | boolean | undefined;
export type LogFields = Readonly<Record<string, LogValue>>;

export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  /** Which part speaks: `store`, `mdns`, `pool`. */
  readonly part: string;
  readonly message: string;
  readonly fields: LogFields;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, speaking as another part. */
  part(name: string): Log;
}

export type LogSink = (entry: LogEntry) => void;

/** A log that stamps each entry with `wallMs()` and hands it to `sink`. */
export function createLog(part: string, wallMs: () => number, sink: LogSink): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      sink({ atMs: wallMs(), level, part, message, fields });
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    part: (name) => createLog(name, wallMs, sink),
  };
}

/** A log nobody reads, for tests and one-shot commands. */
export const silentLog: Log = createLog(
  'silent',
  () => 0,
  () => {},
);

/** Keeps the newest `entriesMax` entries for the console and the page. */
export class LogRing {
  readonly #entries: LogEntry[] = [];
  readonly #entriesMax: number;
  readonly #listeners = new Set<LogSink>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  readonly sink: LogSink = (entry) => {
    this.#entries.push(entry);
    if (this.#entries.length > this.#entriesMax) this.#entries.shift();
    for (const listener of this.#listeners) listener(entry);
  };

  newest(count: number): readonly LogEntry[] {
    return this.#entries.slice(-count);
  }

  /** Calls `listener` for each entry from now on; the function it returns ends that. */
  follow(listener: LogSink): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** `2026-11-23T10:00:00.000Z warn store: volume full volume=a1b2` */
export function formatLogEntry(entry: LogEntry): string {
  return `${isoTime(entry.atMs)} ${entry.level} ${withFields(entry)}`;
}

/** syslog(3) priorities. */
const priorities: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** `<4>store: volume full volume=a1b2`: for a journal, which has the time itself (sd-daemon(3)). */
export function formatJournalEntry(entry: LogEntry): string {
  return `<${priorities[entry.level]}>${withFields(entry)}`;
}

function withFields({ part, message, fields }: LogEntry): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`)
    .join('');
  return `${part}: ${message}${shown}`;
}

function formatValue(value: LogValue): string {
  const text = String(value);
  return /^[\w./:@+%-]*$/.test(text) ? text : JSON.stringify(text);
}

/** Milliseconds since 1970 as ISO 8601 in UTC. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
