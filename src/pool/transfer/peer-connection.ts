import { type Bytes, emptyBytes } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { closeGraceMs, keepAliveDeadMs, keepAliveIdleMs, keepAliveTickMs } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';
import type { SecureStream } from '../../ports/secure-transport.ts';
import { Answerer } from './answerer.ts';
import { Asker, type RequestOptions } from './asker.ts';
import { decodeError, encodeError } from './error-payload.ts';
import { transferError } from './errors.ts';
import { allocatePayload, encodeFrame, type Frame, FrameReader, frameKinds } from './frame.ts';
import { checkFrameLength, type FrameSender } from './frame-gate.ts';
import type { Hello } from './hello.ts';
import { methodDescriptions, methods } from './methods.ts';
import type { PeerDispatcher } from './peer-dispatcher.ts';

export interface PeerIdentity {
  readonly memberId: Bytes;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  /** For logs: `192.0.2.1:4000`. */
  readonly remote: string;
}

/** An error that is about the connection as a whole has this request id; requests have others. */
const connectionRequestId = 0;

/**
 * One secure stream, on which both sides ask and answer (docs/formats.md §6). It closes when the peer breaks the
 * format, says nothing for `keepAliveDeadMs` though asked, or is told to; everything unanswered then fails.
 */
export class PeerConnection {
  readonly peer: PeerIdentity;
  readonly direction: 'incoming' | 'outgoing';
  /** Resolves when the connection takes and gives nothing more, whoever closed. */
  readonly closed: Promise<void>;
  readonly #stream: SecureStream;
  readonly #dispatcher: PeerDispatcher;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #reader: FrameReader;
  readonly #asker: Asker;
  readonly #answerer: Answerer;
  readonly #keepAlive: Timer;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #hello: Hello | undefined;
  #complaint: AetherError | undefined;
  #lastHeardMs: number;
  #probing = false;
  #grace: Timer | undefined;
  #resolveClosed!: () => void;

  constructor(
    stream: SecureStream,
    options: { readonly direction: 'incoming' | 'outgoing'; readonly dispatcher: PeerDispatcher },
    { clock, log }: { readonly clock: Clock; readonly log: Log },
  ) {
    this.peer = { memberId: stream.peerKeyHash, publicKey: stream.peerPublicKey, remote: stream.remote };
    this.direction = options.direction;
    this.#stream = stream;
    this.#dispatcher = options.dispatcher;
    this.#clock = clock;
    this.#log = log;
    this.#lastHeardMs = clock.monotonicMs();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { payloads } = options.dispatcher;
    const sender: FrameSender = {
      isMember: () => options.dispatcher.memberOf(this.peer.memberId) !== undefined,
      askedMethod: (requestId) => this.#asker.methodOf(requestId),
    };
    this.#reader = new FrameReader(
      (frame) => this.#receive(frame),
      (header) => {
        checkFrameLength(header, sender);
        const lent = header.kind === frameKinds.request && methodDescriptions.get(header.method)?.lentPayload;
        return lent === true ? payloads.take(header.payloadBytes) : allocatePayload(header);
      },
    );
    this.#asker = new Asker(clock, (frame) => this.#write(frame));
    this.#answerer = new Answerer({
      handle: (method, payload) => options.dispatcher.dispatch(method, payload, this),
      send: (frame, taken) => stream.write(frame, taken),
      pause: (paused) => (paused ? stream.pause() : stream.resume()),
      payloads,
      log,
    });
    this.#keepAlive = every(clock, keepAliveTickMs, () => this.#tick());
    stream.attach({
      data: (bytes) => this.#data(bytes),
      drain: () => this.#answerer.setRoom(true),
      closed: (error) => this.#streamClosed(error),
    });
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** What the peer last said of itself; undefined before it did. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** For the dispatcher, which hears the peer's hello. */
  set hello(hello: Hello) {
    this.#hello = hello;
  }

  /**
   * Asks the peer and resolves with its answer, which the caller owns. The payload's buffers must not change before.
   * Waits while the peer's window is full. Rejects with the peer's own error, `REQUEST_TIMEOUT`, `PEER_BUSY`,
   * `FRAME_TOO_LONG`, or, when the connection closes first, `LINK_CLOSED` or the reason it closed for.
   */
  request(
    method: number,
    payload: readonly Bytes[] | Bytes = emptyBytes,
    options: RequestOptions = {},
  ): Promise<Bytes> {
    return this.#asker.request(method, payload instanceof Uint8Array ? [payload] : payload, options);
  }

  /** Says hello and hears the peer's; as `request`, and `PAYLOAD_INVALID`. */
  async greet(options: RequestOptions = {}): Promise<Hello> {
    const answer = await this.request(methods.hello, this.#dispatcher.encodedHello(), {
      ...options,
      urgent: true,
    });
    return this.#dispatcher.hear(answer, this);
  }

  /** Sends what was written, then closes. With `reason`, the peer is told why. */
  close(reason?: AetherError): void {
    if (this.#state !== 'open') return;
    if (reason !== undefined) this.#complain(connectionRequestId, reason);
    this.#end(reason ?? linkClosed('this side closed the connection'));
  }

  #end(reason: AetherError): void {
    this.#shut(reason);
    this.#stream.end();
    this.#grace = this.#clock.after(closeGraceMs, () => this.#stream.destroy());
  }

  #data(bytes: Bytes): void {
    if (this.#state !== 'open') return;
    this.#lastHeardMs = this.#clock.monotonicMs();
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      this.#log.warn('peer broke the format', { remote: this.peer.remote, code: error.code });
      this.#complain(Number(error.fields.requestId ?? connectionRequestId), error);
      this.#end(error);
    }
  }

  #receive(frame: Frame): void {
    if (this.#state !== 'open') return;
    if (frame.kind === frameKinds.request) this.#answerer.receive(frame);
    else if (frame.requestId === connectionRequestId && frame.kind === frameKinds.error) {
      this.#complaint = decodeError(frame.payload);
    } else if (!this.#asker.settle(frame)) {
      this.#log.debug('answer to nothing asked', { remote: this.peer.remote, method: frame.method });
    }
  }

  #complain(requestId: number, error: AetherError): void {
    this.#write(encodeFrame(frameKinds.error, 0, requestId, [encodeError(error)]));
  }

  #write(frame: readonly Bytes[]): void {
    if (!this.#stream.write(frame)) this.#answerer.setRoom(false);
  }

  #streamClosed(error: Error | undefined): void {
    this.#grace?.cancel();
    if (this.#state === 'closed') return;
    try {
      this.#reader.end();
    } catch (truncated) {
      const error = truncated as AetherError;
      this.#log.warn('peer broke the format', { remote: this.peer.remote, code: error.code });
      this.#complaint ??= error;
    }
    this.#shut(this.#complaint ?? linkClosed('the peer closed the connection', error));
    this.#state = 'closed';
  }

  /** Fails what is unanswered and stops all timers but the grace of closing. */
  #shut(reason: AetherError): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#keepAlive.cancel();
    this.#asker.close(reason);
    this.#answerer.close();
    this.#resolveClosed();
  }

  #tick(): void {
    const idleMs = this.#clock.monotonicMs() - this.#lastHeardMs;
    if (this.#state !== 'open' || idleMs < keepAliveIdleMs) return;
    if (idleMs >= keepAliveDeadMs) {
      this.#log.info('peer is silent', { remote: this.peer.remote, idleMs: Math.round(idleMs) });
      this.#shut(transferError('PEER_UNREACHABLE', 'the peer says nothing any more'));
      this.#stream.destroy();
    } else if (!this.#probing) {
      this.#probing = true;
      const done = () => {
        this.#probing = false;
      };
      this.greet().then(done, done);
    }
  }
}

function linkClosed(message: string, cause?: Error): AetherError {
  return new AetherError('LINK_CLOSED', message, { cause, help: 'Try again; it connects anew by itself.' });
}
