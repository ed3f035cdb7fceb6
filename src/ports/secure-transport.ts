import type { Bytes } from '../base/bytes.ts';

/**
 * Encrypted byte streams between two parties that prove possession of a key each (TLS 1.3, both with a
 * certificate). Who a key belongs to, and whether it may come in, is decided above, in `pool/`.
 */
export interface SecureTransport {
  /**
   * Accepts streams until closed. `port` 0 lets the system choose. A party that proves no key (of curve P-256) is
   * turned away here and never seen above. Errors: `LINK_ADDRESS_IN_USE`, `LINK_DENIED`, `LINK_UNREACHABLE`.
   */
  listen(address: ListenAddress, accept: (stream: SecureStream) => void): Promise<SecureListener>;
  /** Errors: `LINK_REFUSED`, `LINK_TIMEOUT`, `LINK_UNREACHABLE`, `LINK_HANDSHAKE`. */
  connect(address: PeerAddress, options: ConnectOptions): Promise<SecureStream>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectOptions {
  readonly timeoutMs: number;
}

export interface SecureListener {
  readonly port: number;
  /** Accepts no more; streams that were accepted live on. */
  close(): Promise<void>;
}

export interface SecureStream {
  /** SHA-256 of the DER SubjectPublicKeyInfo the other side has proved to own: its member id. 32 bytes. */
  readonly peerKeyHash: Bytes;
  /** That DER SubjectPublicKeyInfo. */
  readonly peerPublicKey: Bytes;
  /** Where the other side is, for logs: `192.0.2.1:4000`. */
  readonly remote: string;
  /**
   * Sets who hears of bytes, once, directly after the stream is had. Arrived bytes wait until then; no byte is
   * lost. `data` may be called with any split of the stream; its argument is valid only during the call, because
   * the transport reads into the same memory again (measured: half the CPU of fresh memory for each piece).
   */
  attach(handler: SecureStreamHandler): void;
  /**
   * Takes the bytes; false when the caller should wait for `drain`. They must not change before `taken` is called,
   * which happens once, when nobody looks at them any more, also when the stream closes first.
   */
  write(parts: readonly Bytes[], taken?: () => void): boolean;
  /**
   * Stops and resumes `data`, so that the other side's sending slows down. What was already decrypted when it was
   * called, at most 64 KiB, may still arrive.
   */
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. */
  end(): void;
  /** Closes at once; what was not sent is lost. */
  destroy(): void;
}

export interface SecureStreamHandler {
  data(bytes: Bytes): void;
  drain(): void;
  /** Called exactly once, whoever closed. `error` is absent after an orderly end. */
  closed(error?: Error): void;
}

export type LinkErrorCode =
  | 'LINK_REFUSED'
  | 'LINK_TIMEOUT'
  | 'LINK_UNREACHABLE'
  | 'LINK_HANDSHAKE'
  | 'LINK_ADDRESS_IN_USE'
  /** The system does not let us listen there (a port below 1024, say). */
  | 'LINK_DENIED'
  /** The other side, or the network between, broke the stream off. */
  | 'LINK_CLOSED';
