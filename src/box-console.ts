import { type Bytes, equalBytes, toHex, utf8 } from './base/bytes.ts';
import { CborFields, encodeCbor } from './base/cbor.ts';
import { consoleSessionIdleMs, consoleSessionsMax, consoleWaitMsMax } from './base/face-limits.ts';
import type { Box } from './box.ts';
import type { ConsoleContext } from './device/console/command.ts';
import { Console } from './device/console/console.ts';
import { transferError } from './pool/transfer/errors.ts';
import { methods } from './pool/transfer/methods.ts';
import type { Clock, Timer } from './ports/clock.ts';
import type { Entropy } from './ports/entropy.ts';
import type { ConsoleLine } from './ports/terminal-line.ts';

const sessionIdBytes = 16;
const columnsMin = 40;
const columnsMax = 400;

/**
 * The maintenance console for members over the network, method 96 of docs/formats.md §6: each exchange brings what was
 * typed and takes what was written, and waits a while when there is nothing.
 */
export class BoxConsole {
  readonly #context: ConsoleContext;
  readonly #ports: { readonly clock: Clock; readonly entropy: Entropy };
  readonly #sessions = new Map<string, Session>();

  constructor(context: ConsoleContext, ports: { readonly clock: Clock; readonly entropy: Entropy }) {
    this.#context = context;
    this.#ports = ports;
  }

  /** Begins to answer members of the box's pool. */
  attach(box: Box): void {
    box.handle(methods.consoleExchange, (payload, { peer }) => this.#exchange(payload, peer.memberId));
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }

  async #exchange(payload: Bytes, memberId: Bytes): Promise<Bytes> {
    const fields = CborFields.decode(payload);
    const id = fields.has('session')
      ? toHex(fields.bytes('session', sessionIdBytes))
      : this.#open(fields, memberId);
    const session = this.#sessions.get(id);
    if (session === undefined || !equalBytes(session.memberId, memberId)) {
      throw transferError('PAYLOAD_INVALID', 'there is no such console');
    }
    const { output, ended } = await session.exchange(
      fields.bytes('input'),
      Math.min(consoleWaitMsMax, fields.count('waitMs')),
    );
    if (ended) this.#sessions.delete(id);
    return encodeCbor({ session: session.id, output: utf8(output), ended });
  }

  #open(fields: CborFields, memberId: Bytes): string {
    const [oldest] = this.#sessions;
    if (this.#sessions.size >= consoleSessionsMax && oldest !== undefined) {
      oldest[1].close();
      this.#sessions.delete(oldest[0]);
    }
    const columns = Math.min(columnsMax, Math.max(columnsMin, fields.count('columns')));
    const id = this.#ports.entropy.bytes(sessionIdBytes);
    const key = toHex(id);
    const session = new Session({ id, memberId, columns, context: this.#context }, this.#ports.clock, () =>
      this.#sessions.delete(key),
    );
    this.#sessions.set(key, session);
    return key;
  }
}

interface SessionOptions {
  readonly id: Bytes;
  readonly memberId: Bytes;
  readonly columns: number;
  readonly context: ConsoleContext;
}

/** One console, and the line that it is on. */
class Session implements ConsoleLine {
  readonly style = 'ansi';
  readonly columns: number;
  readonly id: Bytes;
  readonly memberId: Bytes;
  readonly #clock: Clock;
  readonly #console: Console;
  readonly #onIdle: () => void;
  #output = '';
  #ended = false;
  #idle: Timer | undefined;
  #onData: (bytes: Bytes) => void = () => {};
  #onEnd: () => void = () => {};
  #onTaken: () => void = () => {};
  #wake: () => void = () => {};

  constructor({ id, memberId, columns, context }: SessionOptions, clock: Clock, onIdle: () => void) {
    this.id = id;
    this.memberId = memberId;
    this.columns = columns;
    this.#clock = clock;
    this.#onIdle = onIdle;
    this.#console = new Console({ line: this, context }, { clock });
    void this.#console.ended.then(() => {
      this.#ended = true;
      this.#wake();
    });
    this.#console.start();
  }

  async exchange(
    input: Bytes,
    waitMs: number,
  ): Promise<{ readonly output: string; readonly ended: boolean }> {
    this.#touch();
    if (input.length > 0) this.#onData(input);
    if (this.#output === '' && !this.#ended) await this.#news(waitMs);
    const output = this.#output;
    this.#output = '';
    this.#onTaken();
    return { output, ended: this.#ended };
  }

  onData(listener: (bytes: Bytes) => void): void {
    this.#onData = listener;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  get pending(): number {
    return this.#output.length;
  }

  onTaken(listener: () => void): void {
    this.#onTaken = listener;
  }

  write(text: string): void {
    this.#output += text;
    if (text !== '') this.#wake();
  }

  close(): void {
    this.#idle?.cancel();
    this.#onEnd();
    this.#console.close();
  }

  #touch(): void {
    this.#idle?.cancel();
    this.#idle = this.#clock.after(consoleSessionIdleMs, () => {
      this.close();
      this.#onIdle();
    });
  }

  #news(waitMs: number): Promise<void> {
    this.#wake();
    return new Promise((resolve) => {
      const timer = this.#clock.after(waitMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
