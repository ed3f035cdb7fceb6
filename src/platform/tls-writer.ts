import type { TLSSocket } from 'node:tls';
import { type Bytes, sizeOf } from '../base/bytes.ts';
import { streamWriteBufferBytes } from '../base/limits.ts';

/** What is gathered at once, in whole TLS records. */
const gatherBytes = 8 * 16 * 1024;

/** A part of this size is worth a system call of its own, and costs less than being copied. */
const directBytesMin = 32 * 1024;

/** Gathering memory that lies idle, for all connections together. */
const idle: Bytes[] = [];
const idleMax = 4;

interface Queued {
  readonly bytes: Bytes;
  /** Called when nobody looks at the bytes any more: they are gathered, encrypted, or dropped. */
  readonly taken: (() => void) | undefined;
}

/**
 * Gives a socket one buffer at a time. Small parts written meanwhile are gathered in one: a few small frames leave in
 * one record and one system call. Node would gather as well, but large parts too, and into fresh memory each time. A
 * large part is encrypted from where it stands.
 */
export class TlsWriter {
  readonly #socket: TLSSocket;
  readonly #drain: () => void;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #busy = false;
  #wantsDrain = false;
  #ending = false;

  constructor(socket: TLSSocket, drain: () => void) {
    this.#socket = socket;
    this.#drain = drain;
  }

  /** As `SecureStream.write`. */
  write(parts: readonly Bytes[], taken?: () => void): boolean {
    if (this.#ending || !this.#socket.writable) {
      taken?.();
      return true;
    }
    parts.forEach((bytes, index) => {
      this.#queue.push({ bytes, taken: index === parts.length - 1 ? taken : undefined });
    });
    this.#queuedBytes += sizeOf(parts);
    if (!this.#busy) {
      this.#busy = true;
      process.nextTick(this.#flush);
    }
    if (this.#queuedBytes < streamWriteBufferBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** Ends the socket when everything is written. */
  end(): void {
    this.#ending = true;
    if (!this.#busy) this.#socket.end();
  }

  #drop(): void {
    for (const { taken } of this.#queue.splice(0)) taken?.();
    this.#queuedBytes = 0;
  }

  readonly #flush = (): void => {
    // The other side may have ended, or the socket be destroyed, while this waited.
    if (!this.#socket.writable) this.#drop();
    if (this.#queuedBytes === 0) {
      this.#busy = false;
      if (this.#ending) this.#socket.end();
      return;
    }
    const first = this.#queue[0]!;
    if (first.bytes.length >= directBytesMin) {
      this.#queue.shift();
      this.#socket.write(first.bytes, (error) => {
        first.taken?.();
        this.#written(first.bytes.length, error);
      });
      return;
    }
    const memory = idle.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(gatherBytes).buffer);
    const size = this.#gather(memory);
    this.#socket.write(memory.subarray(0, size), (error) => {
      if (idle.length < idleMax) idle.push(memory);
      this.#written(size, error);
    });
  };

  /** Copies the small parts at the front of the queue, as many as fit. */
  #gather(memory: Bytes): number {
    let size = 0;
    let count = 0;
    for (const { bytes, taken } of this.#queue) {
      if (bytes.length >= directBytesMin || size + bytes.length > memory.length) break;
      memory.set(bytes, size);
      size += bytes.length;
      taken?.();
      count++;
    }
    this.#queue.splice(0, count);
    return size;
  }

  #written(size: number, error: Error | null | undefined): void {
    this.#queuedBytes -= size;
    if (error) this.#drop();
    this.#flush();
    if (this.#wantsDrain && this.#queuedBytes < streamWriteBufferBytes / 2) {
      this.#wantsDrain = false;
      this.#drain();
    }
  }
}
