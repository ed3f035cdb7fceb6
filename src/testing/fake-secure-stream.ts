import { hash } from 'node:crypto';
import { type Bytes, copyOf } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { streamWriteBufferBytes } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { LinkErrorCode, SecureStream, SecureStreamHandler } from '../ports/secure-transport.ts';

/** What a stream asks of the network it crosses. */
export interface FakeRoute {
  readonly clock: Clock;
  /** How long the next piece takes from end to end. */
  delayMs(): number;
  /** How long a piece of `bytes` occupies the link. */
  occupiedMs(bytes: number): number;
  /** How many of the next `bytes` travel as one piece. */
  split(bytes: number): number;
  /** Nothing crosses now. */
  cut(): boolean;
}

type Item = Bytes | 'end' | Error;

/** Bytes between the two ends that the reader has not taken yet: as the socket buffers of two kernels. */
const windowBytes = 256 * 1024;

/** One end of a stream of the {@link FakeSecureNetwork}; it delivers to `other`. */
export class FakeSecureStream implements SecureStream {
  readonly peerKeyHash: Bytes;
  readonly peerPublicKey: Bytes;
  readonly remote: string;
  readonly #route: FakeRoute;
  #other!: FakeSecureStream;
  #handler: SecureStreamHandler | undefined;
  #state: 'open' | 'closed' | 'dead' = 'open';
  #closeError: Error | undefined;
  #paused = false;
  /** Written, not yet on its way. */
  #outgoing: Item[] = [];
  /** Came to the place of the cut; goes on when it is healed. */
  #held: Item[] = [];
  /** Arrived, not yet taken by the handler. */
  #inbox: Item[] = [];
  #untakenBytes = 0;
  #underwayBytes = 0;
  #lastDueMs = 0;
  #wantsDrain = false;
  #endSent = false;
  #endDelivered = false;
  #endReceived = false;

  private constructor(route: FakeRoute, peerPublicKey: Bytes, remote: string) {
    this.#route = route;
    this.peerPublicKey = peerPublicKey;
    this.peerKeyHash = new Uint8Array(hash('sha256', peerPublicKey, 'buffer'));
    this.remote = remote;
  }

  /** The two ends of one stream; each knows the key and the address of the other. */
  static pair(
    route: FakeRoute,
    near: { readonly publicKey: Bytes; readonly address: string },
    far: { readonly publicKey: Bytes; readonly address: string },
  ): readonly [near: FakeSecureStream, far: FakeSecureStream] {
    const nearEnd = new FakeSecureStream(route, far.publicKey, far.address);
    const farEnd = new FakeSecureStream(route, near.publicKey, near.address);
    nearEnd.#other = farEnd;
    farEnd.#other = nearEnd;
    return [nearEnd, farEnd];
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  attach(handler: SecureStreamHandler): void {
    this.#handler = handler;
    this.#take();
    if (this.#state === 'closed') handler.closed(this.#closeError);
  }

  write(parts: readonly Bytes[], taken?: () => void): boolean {
    // Lent memory is looked at now only; what was written without `taken` stays as it is.
    const lasting = taken === undefined ? parts : parts.map(copyOf);
    taken?.();
    if (this.#state !== 'open' || this.#endSent) return true;
    for (const part of lasting) {
      for (let offset = 0; offset < part.length; ) {
        const count = this.#route.split(part.length - offset);
        this.#outgoing.push(part.subarray(offset, offset + count));
        offset += count;
      }
      this.#untakenBytes += part.length;
    }
    this.#pump();
    this.#wantsDrain ||= this.#untakenBytes >= streamWriteBufferBytes;
    return this.#untakenBytes < streamWriteBufferBytes;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#route.clock.after(0, () => this.#take());
  }

  end(): void {
    if (this.#state !== 'open' || this.#endSent) return;
    this.#endSent = true;
    this.#outgoing.push('end');
    this.#pump();
  }

  destroy(): void {
    if (this.#state !== 'open') return;
    this.#outgoing = ['end'];
    this.#underwayBytes = 0;
    this.#pump();
    this.#close();
  }

  /** The program on this end is gone: it hears and says nothing any more. With `reset`, the other end is told. */
  kill(reset: boolean): void {
    this.#state = 'dead';
    this.#outgoing = [];
    if (reset) this.resetOther();
  }

  /** As the kernel of a host does that knows nothing of this stream. */
  resetOther(): void {
    this.#send(new AetherError<LinkErrorCode>('LINK_CLOSED', 'the other side broke the stream off'), 0);
  }

  /** Lets what a cut held back go on. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const item of held) this.#send(item, sizeOf(item));
  }

  #pump(): void {
    while (this.#outgoing.length > 0 && this.#underwayBytes < windowBytes) {
      const item = this.#outgoing.shift()!;
      const size = sizeOf(item);
      this.#underwayBytes += size;
      this.#send(item, size);
    }
  }

  #send(item: Item, size: number): void {
    const nowMs = this.#route.clock.monotonicMs();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + this.#route.delayMs()) + this.#route.occupiedMs(size);
    this.#route.clock.after(this.#lastDueMs - nowMs, () => {
      if (this.#route.cut() || this.#held.length > 0) this.#held.push(item);
      else this.#other.#arrive(item);
    });
  }

  #arrive(item: Item): void {
    if (this.#state !== 'open') return;
    if (item instanceof Error) {
      this.#close(item);
      return;
    }
    this.#inbox.push(item);
    this.#take();
  }

  #take(): void {
    while (this.#handler !== undefined && !this.#paused && this.#state === 'open') {
      const item = this.#inbox.shift();
      if (item === undefined) return;
      if (item instanceof Uint8Array) {
        const lent = copyOf(item);
        this.#handler.data(lent);
        // As the port says: the memory is valid only during the call.
        lent.fill(0xdd);
        this.#other.#taken(item.length);
      } else {
        this.#endReceived = true;
        this.#other.#endDelivered = true;
        this.end();
        this.#closeWhenEnded();
        this.#other.#closeWhenEnded();
      }
    }
  }

  #taken(size: number): void {
    if (this.#state !== 'open') return;
    this.#underwayBytes -= size;
    this.#untakenBytes -= size;
    this.#pump();
    if (!this.#wantsDrain || this.#untakenBytes > 0) return;
    this.#wantsDrain = false;
    this.#route.clock.after(this.#route.delayMs(), () => {
      if (this.#state === 'open') this.#handler?.drain();
    });
  }

  #closeWhenEnded(): void {
    if (this.#endReceived && this.#endDelivered) this.#close();
  }

  #close(error?: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#closeError = error;
    this.#route.clock.after(0, () => {
      if (this.#state === 'closed') this.#handler?.closed(error);
    });
    // An end that was destroyed answers no end of the other side: let it close.
    this.#other.#endDelivered = true;
  }
}

function sizeOf(item: Item): number {
  return item instanceof Uint8Array ? item.length : 0;
}
