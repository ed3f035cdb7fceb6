import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { decodeError } from '../../src/pool/transfer/error-payload.ts';
import { encodeFrame, type Frame, FrameReader, frameKinds } from '../../src/pool/transfer/frame.ts';
import type { BoxReady } from '../lan/box-process.ts';

export interface Credentials {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
}

/** A TLS connection with a box, on which a test writes whatever it likes. */
export class RawLink {
  readonly socket: TLSSocket;
  readonly closed: Promise<unknown>;
  readonly #frames: Frame[] = [];
  #wake = () => {};
  #requestId = 0;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader((frame) => {
      this.#frames.push(frame);
      this.#wake();
    });
    socket.on('data', (bytes: Buffer) => reader.push(bytes));
    socket.on('error', () => {});
    this.closed = once(socket, 'close').then(() => this.#wake());
  }

  static async open(ready: BoxReady, { privateKeyPem, certificatePem }: Credentials): Promise<RawLink> {
    const key = { key: privateKeyPem, cert: certificatePem };
    const socket = connect({ host: '127.0.0.1', port: ready.port, rejectUnauthorized: false, ...key });
    await once(socket, 'secureConnect');
    return new RawLink(socket);
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** The next frame, or undefined when the box closed instead. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && !this.socket.destroyed) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    return this.#frames.shift();
  }

  /** Sends a request; the code of the error that answers it, or `answered`, or `closed`. */
  async ask(method: number, payload: Uint8Array): Promise<string> {
    const requestId = ++this.#requestId;
    for (const part of encodeFrame(frameKinds.request, method, requestId, [payload])) this.write(part);
    return this.nextCode();
  }

  async nextCode(): Promise<string> {
    const frame = await this.next();
    if (frame === undefined) return 'closed';
    return frame.kind === frameKinds.error ? decodeError(frame.payload).code : 'answered';
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}
