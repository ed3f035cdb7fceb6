import type { TLSSocket } from 'node:tls';
import { type Bytes, sizeOf } from '../base/bytes.ts';
import { streamWriteBufferBytes } from '../base/limits.ts';

/** One chunk of the usual largest size with its frame header, in whole TLS records. */
const gatherBytes = 17 * 16 * 1024;

/** Gathering memory that lies idle, for all connections together. */
const idle: Bytes[] = [];
const idleMax = 4;

interface Queued {
  readonly bytes: Bytes;
  /** Called when the bytes are gathered, or dropped. */
  readonly taken: (() => void) | undefined;
}

/**
 * Gives a socket one buffer at a time, in which everything written meanwhile is gathered: a few small frames leave
 * in one record and one system call, and a large one in whole records. Node would gather as well, but into fresh
 * memory each time.
 */
export class TlsWriter {
  readonly #socket: TLSSocket;
  readonly #drain: () => void;
  #queue: Queued[] = [];
  /** How much of the first in the queue was taken. */
  #offset = 0;
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
    this.#offset = 0;
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
    const memory = idle.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(gatherBytes).buffer);
    const size = this.#gather(memory);
    this.#socket.write(memory.subarray(0, size), (error) => this.#written(memory, size, error));
  };

  #gather(memory: Bytes): number {
    let size = 0;
    let count = 0;
    for (const { bytes, taken } of this.#queue) {
      const fitting = Math.min(bytes.length - this.#offset, memory.length - size);
      memory.set(bytes.subarray(this.#offset, this.#offset + fitting), size);
      size += fitting;
      this.#offset += fitting;
      if (this.#offset < bytes.length) break;
      this.#offset = 0;
      taken?.();
      count++;
    }
    this.#queue.splice(0, count);
    return size;
  }

  #written(memory: Bytes, size: number, error: Error | null | undefined): void {
    if (idle.length < idleMax) idle.push(memory);
    this.#queuedBytes -= size;
    if (error) this.#drop();
    this.#flush();
    if (this.#wantsDrain && this.#queuedBytes < streamWriteBufferBytes / 2) {
      this.#wantsDrain = false;
      this.#drain();
    }
  }
}
