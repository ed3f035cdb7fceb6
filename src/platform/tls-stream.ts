import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Bytes, copyOf } from '../base/bytes.ts';
import type { SecureStream, SecureStreamHandler } from '../ports/secure-transport.ts';
import { translateSocketError } from './tls-errors.ts';
import { TlsWriter } from './tls-writer.ts';

/** One TLS connection whose handshake is done. */
export class TlsStream implements SecureStream {
  readonly peerKeyHash: Bytes;
  readonly peerPublicKey: Bytes;
  readonly remote: string;
  readonly #socket: TLSSocket;
  readonly #writer: TlsWriter;
  #handler: SecureStreamHandler | undefined;
  #early: Bytes[] = [];
  #error: Error | undefined;
  #destroyed = false;
  #closed = false;

  constructor(socket: TLSSocket, peerPublicKey: Bytes) {
    this.#socket = socket;
    this.peerPublicKey = peerPublicKey;
    this.peerKeyHash = new Uint8Array(createHash('sha256').update(peerPublicKey).digest());
    // A socket that listens on both families gives IPv4 peers as ::ffff:192.0.2.1.
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
    this.remote = `${address.includes(':') ? `[${address}]` : address}:${socket.remotePort}`;
    this.#writer = new TlsWriter(socket, () => this.#handler?.drain());
    socket.on('error', (error) => {
      if (!this.#destroyed) this.#error = translateSocketError(error, 'open');
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#handler?.closed(this.#error);
    });
  }

  /** OpenSSL's name of the cipher suite in use. */
  get cipher(): string {
    return this.#socket.getCipher().name;
  }

  attach(handler: SecureStreamHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) handler.data(bytes);
    if (this.#closed) handler.closed(this.#error);
  }

  /** Bytes that arrived, in memory that is reused after the call. */
  readonly receive = (bytes: Bytes): void => {
    if (this.#handler === undefined) this.#early.push(copyOf(bytes));
    else if (!this.#destroyed) this.#handler.data(bytes);
  };

  write(parts: readonly Bytes[], taken?: () => void): boolean {
    return this.#writer.write(parts, taken);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#writer.end();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#socket.destroy();
  }
}

/** The DER SubjectPublicKeyInfo of the certificate when it is a P-256 key: the only kind of key members have. */
export function p256KeyOf(certificate: X509Certificate | undefined): Bytes | undefined {
  const key = certificate?.publicKey;
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    return undefined;
  }
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}
