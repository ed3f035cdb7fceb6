import { type Bytes, sizeOf } from '../../base/bytes.ts';
import type { AetherError } from '../../base/errors.ts';
import {
  requestBytesInFlightMax,
  requestsInFlightMax,
  requestsWaitingMax,
  requestTimeoutMs,
} from '../../base/limits.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { decodeError } from './error-payload.ts';
import { transferError } from './errors.ts';
import { encodeFrame, type Frame, frameKinds, tooLong } from './frame.ts';
import { requestBytesMax } from './methods.ts';

export interface RequestOptions {
  /** From the call on, waiting for the window included. Default `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Goes past the window: only for signs of life. */
  readonly urgent?: boolean;
}

interface Asked {
  readonly method: number;
  readonly payload: readonly Bytes[];
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly urgent: boolean;
  readonly resolve: (answer: Bytes) => void;
  readonly reject: (error: AetherError) => void;
  /** Given up; it keeps its place in the window until the peer answers, because it keeps one there as well. */
  expired: boolean;
}

/**
 * The asking half of a connection: gives requests their ids, keeps no more open than the peer takes without
 * stopping to read (`requestsInFlightMax`, `requestBytesInFlightMax`), and gives up on those without an answer.
 */
export class Asker {
  readonly #clock: Clock;
  readonly #send: (frame: readonly Bytes[]) => void;
  readonly #open = new Map<number, Asked>();
  #waiting: Asked[] = [];
  #openBytes = 0;
  #lastId = 0;
  #sweep: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #closed: AetherError | undefined;

  constructor(clock: Clock, send: (frame: readonly Bytes[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** What an open request asked for. */
  methodOf(requestId: number): number | undefined {
    return this.#open.get(requestId)?.method;
  }

  request(method: number, payload: readonly Bytes[], options: RequestOptions): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed;
      const [bytes, bytesMax] = [sizeOf(payload), requestBytesMax(method)];
      if (bytes > bytesMax) throw tooLong(bytes, 0, bytesMax);
      const timeoutMs = options.timeoutMs ?? requestTimeoutMs;
      const asked: Asked = {
        method,
        payload,
        bytes,
        deadlineMs: this.#clock.monotonicMs() + timeoutMs,
        urgent: options.urgent === true,
        resolve,
        reject,
        expired: false,
      };
      if (asked.urgent || (this.#waiting.length === 0 && this.#fits(asked))) this.#ask(asked);
      else if (this.#waiting.length < requestsWaitingMax) this.#waiting.push(asked);
      else throw transferError('PEER_BUSY', 'too many requests wait for this peer');
      this.#armSweep(asked.deadlineMs);
    });
  }

  /** Takes an answer; false when no open request has its id. */
  settle(frame: Frame): boolean {
    const asked = this.#open.get(frame.requestId);
    if (asked === undefined) return false;
    this.#open.delete(frame.requestId);
    this.#openBytes -= asked.bytes;
    if (!asked.expired) {
      if (frame.kind === frameKinds.response) asked.resolve(frame.payload);
      else asked.reject(decodeError(frame.payload));
    }
    if (this.#waiting.length > 0) this.#askWaiting();
    return true;
  }

  /** Fails everything open and waiting, and all that is asked later. */
  close(error: AetherError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#sweep?.timer.cancel();
    for (const asked of [...this.#open.values(), ...this.#waiting]) if (!asked.expired) asked.reject(error);
    this.#open.clear();
    this.#waiting = [];
  }

  #fits(asked: Asked): boolean {
    if (this.#open.size === 0) return true;
    return this.#open.size < requestsInFlightMax && this.#openBytes + asked.bytes <= requestBytesInFlightMax;
  }

  #ask(asked: Asked): void {
    do this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1;
    while (this.#open.has(this.#lastId));
    const frame = encodeFrame(frameKinds.request, asked.method, this.#lastId, asked.payload);
    this.#open.set(this.#lastId, asked);
    this.#openBytes += asked.bytes;
    this.#send(frame);
  }

  #askWaiting(): void {
    let count = 0;
    for (const asked of this.#waiting) {
      if (!this.#fits(asked)) break;
      count++;
      try {
        this.#ask(asked);
      } catch (error) {
        asked.reject(error as AetherError);
      }
    }
    this.#waiting.splice(0, count);
  }

  /** One timer serves all deadlines: it fires at the earliest, and looks then which have passed. */
  #armSweep(dueMs: number): void {
    if (this.#sweep !== undefined && this.#sweep.dueMs <= dueMs) return;
    this.#sweep?.timer.cancel();
    const timer = this.#clock.after(dueMs - this.#clock.monotonicMs(), () => this.#expire());
    this.#sweep = { timer, dueMs };
  }

  #expire(): void {
    this.#sweep = undefined;
    const nowMs = this.#clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const asked of [...this.#open.values(), ...this.#waiting]) {
      if (asked.expired) continue;
      if (asked.deadlineMs > nowMs) {
        nextMs = Math.min(nextMs, asked.deadlineMs);
        continue;
      }
      asked.expired = true;
      asked.reject(
        transferError('REQUEST_TIMEOUT', 'the peer has not answered in time', {
          fields: { method: asked.method },
        }),
      );
    }
    this.#waiting = this.#waiting.filter((asked) => !asked.expired);
    if (nextMs < Number.POSITIVE_INFINITY) this.#armSweep(nextMs);
  }
}
