import type { Bytes } from '../../base/bytes.ts';
import { AetherError, describeError } from '../../base/errors.ts';
import { largeAnswersInFlightMax, requestBytesInFlightMax, requestsInFlightMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import { encodeError } from './error-payload.ts';
import { transferError } from './errors.ts';
import { encodeFrame, type Frame, frameKinds } from './frame.ts';
import { type MethodDescription, methodDescriptions } from './methods.ts';
import type { PayloadPool } from './payload-pool.ts';

export type Answer = readonly Bytes[] | Bytes | LentAnswer;

/** An answer in memory that serves others once it is sent. */
export interface LentAnswer {
  readonly lent: Bytes;
  /** Called once, when nobody looks at `lent` any more. */
  readonly release: () => void;
}

export interface AnswererOptions {
  readonly handle: (method: number, payload: Bytes) => Promise<Answer>;
  /** Sends one frame; false when the stream should drain first. */
  readonly send: (frame: readonly Bytes[], taken?: () => void) => boolean;
  /** Stops (true) and resumes the reading of frames. */
  readonly pause: (paused: boolean) => void;
  readonly payloads: PayloadPool;
  readonly log: Log;
}

interface Asked {
  readonly frame: Frame;
  readonly description: MethodDescription | undefined;
}

/**
 * The answering half of a connection. A peer that keeps to the window is always read on, so that two peers who
 * write to each other never wait in a circle; one that goes beyond it is not read until it is back inside. Nothing
 * new is begun while answers do not drain, so that a peer that never reads costs at most the window, the stream's
 * buffer and `largeAnswersInFlightMax` answers.
 */
export class Answerer {
  readonly #options: AnswererOptions;
  #queue: Asked[] = [];
  #requests = 0;
  #requestBytes = 0;
  #largeAnswers = 0;
  #room = true;
  #paused = false;
  #closed = false;

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  receive(frame: Frame): void {
    const description = methodDescriptions.get(frame.method);
    if (description?.urgent === true && this.#room) {
      this.#begin({ frame, description }, () => {});
      return;
    }
    this.#requests++;
    this.#requestBytes += frame.payload.length;
    this.#queue.push({ frame, description });
    this.#beginQueued();
    this.#updatePause();
  }

  /** The stream took (or takes no more) what was written. */
  setRoom(room: boolean): void {
    this.#room = room;
    if (room) this.#beginQueued();
  }

  /** Answers nothing any more. */
  close(): void {
    this.#closed = true;
    for (const asked of this.#queue) this.#release(asked);
    this.#queue = [];
  }

  #beginQueued(): void {
    let count = 0;
    for (const asked of this.#queue) {
      const large = asked.description?.largeAnswer === true;
      if (!this.#room || this.#closed || (large && this.#largeAnswers >= largeAnswersInFlightMax)) break;
      count++;
      if (large) this.#largeAnswers++;
      this.#begin(asked, () => {
        if (large) this.#largeAnswers--;
        this.#requests--;
        this.#requestBytes -= asked.frame.payload.length;
        this.#beginQueued();
        this.#updatePause();
      });
    }
    if (count > 0) this.#queue.splice(0, count);
  }

  #begin(asked: Asked, done: () => void): void {
    const { method, payload } = asked.frame;
    this.#options.handle(method, payload).then(
      (answer) => {
        this.#answer(asked, answer);
        done();
      },
      (error: unknown) => {
        this.#fail(asked, error);
        done();
      },
    );
  }

  #answer(asked: Asked, answer: Answer): void {
    this.#release(asked);
    const { payload, release } = partsOf(answer);
    if (this.#closed) {
      release?.();
      return;
    }
    const { method, requestId } = asked.frame;
    try {
      this.#send(encodeFrame(frameKinds.response, method, requestId, payload), release);
    } catch (error) {
      release?.();
      this.#tell(asked, error);
    }
  }

  #fail(asked: Asked, error: unknown): void {
    this.#release(asked);
    if (!this.#closed) this.#tell(asked, error);
  }

  /** What a handler meant to say goes to the peer; anything else is our own fault, and only our log hears of it. */
  #tell({ frame: { method, requestId }, description }: Asked, error: unknown): void {
    let told: AetherError;
    if (error instanceof AetherError && error.code !== 'FRAME_TOO_LONG') {
      told = error;
    } else {
      const fields = { method: description?.name, error: describeError(error) };
      this.#options.log.error('request failed unexpectedly', fields);
      told = transferError('INTERNAL', 'the request failed for an unexpected reason');
    }
    this.#send(encodeFrame(frameKinds.error, method, requestId, [encodeError(told)]));
  }

  #send(frame: readonly Bytes[], taken?: () => void): void {
    this.#room = this.#options.send(frame, taken);
  }

  #release({ frame, description }: Asked): void {
    if (description?.lentPayload === true) this.#options.payloads.release(frame.payload);
  }

  #updatePause(): void {
    const over = this.#requests > requestsInFlightMax || this.#requestBytes > requestBytesInFlightMax;
    if (over === this.#paused || this.#closed) return;
    this.#paused = over;
    this.#options.pause(over);
  }
}

function partsOf(answer: Answer): { readonly payload: readonly Bytes[]; readonly release?: () => void } {
  if (answer instanceof Uint8Array) return { payload: [answer] };
  return 'lent' in answer ? { payload: [answer.lent], release: answer.release } : { payload: answer };
}
