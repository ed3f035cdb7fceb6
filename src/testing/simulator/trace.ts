import { createHash } from 'node:crypto';
import type { LogEntry } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';

/** Lines kept to show what led to a violation. */
const recentMax = 60;

/**
 * Everything that happened in a run, in order, as a digest, counts and the last lines. What OpenSSL and OPAQUE draw
 * by themselves (signatures, pairing messages, and the record hashes over signatures) must not come in here: a seed
 * does not determine it.
 */
export class Trace {
  readonly #clock: Clock;
  readonly #hash = createHash('sha256');
  readonly #counts = new Map<string, number>();
  readonly #recent: string[] = [];
  readonly #print: ((line: string) => void) | undefined;

  /** `print` gets every line but those of level debug. */
  constructor(clock: Clock, print?: (line: string) => void) {
    this.#clock = clock;
    this.#print = print;
  }

  /** An event of the simulation itself; `kind` is what it is counted as. */
  event(host: string, kind: string, detail = ''): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#add(`${host}: ${kind}${detail === '' ? '' : ` ${detail}`}`, true);
  }

  /** What a program on `host` logs. */
  log(host: string, { level, part, message, fields }: LogEntry): void {
    const text = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
    this.#add(`${host}: ${level} ${part}: ${message}${text.join('')}`, level !== 'debug');
  }

  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  recent(): readonly string[] {
    return this.#recent;
  }

  /** Of all lines so far: 16 hexadecimal digits. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #add(text: string, shown: boolean): void {
    const line = `${(this.#clock.monotonicMs() / 1000).toFixed(6)} ${text}`;
    this.#hash.update(`${line}\n`);
    if (!shown) return;
    this.#recent.push(line);
    if (this.#recent.length > recentMax) this.#recent.shift();
    this.#print?.(line);
  }
}
