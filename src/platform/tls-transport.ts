import { constants } from 'node:crypto';
import type { AddressInfo, OnReadOpts, Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect,
  createServer,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { Bytes } from '../base/bytes.ts';
import { handshakeTimeoutMs } from '../base/limits.ts';
import type {
  ConnectOptions,
  ListenAddress,
  PeerAddress,
  SecureListener,
  SecureStream,
  SecureTransport,
} from '../ports/secure-transport.ts';
import { linkError, translateSocketError } from './tls-errors.ts';
import { Handshakes } from './tls-handshakes.ts';
import { readIntoSharedBuffer, sharedReadBuffer } from './tls-read-buffer.ts';
import { p256KeyOf, TlsStream } from './tls-stream.ts';

export interface TlsTransportOptions {
  /** The own P-256 key, PEM of PKCS #8, and the self-signed certificate that carries it. */
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /**
   * The cipher that is faster on this processor: ChaCha20 where AES instructions are missing (Raspberry Pi 3 and 4),
   * AES where they are there. A connection uses ChaCha20 when either end prefers it, because the other end's loss
   * is smaller. Default: AES.
   */
  readonly suite?: 'aes-256-gcm' | 'chacha20-poly1305';
}

const cipherSuites = {
  'aes-256-gcm': 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  'chacha20-poly1305': 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
} as const;

/**
 * TLS 1.3 over TCP. Both sides show a self-signed certificate; nothing in it counts but its key, whose possession
 * the handshake proves. Every handshake is a full one: tickets hold no client certificate and no side keeps them.
 */
export class TlsTransport implements SecureTransport {
  readonly #options: ConnectionOptions & TlsOptions;

  constructor({ privateKeyPem, certificatePem, suite = 'aes-256-gcm' }: TlsTransportOptions) {
    this.#options = {
      key: privateKeyPem,
      cert: certificatePem,
      minVersion: 'TLSv1.3',
      ciphers: cipherSuites[suite],
      honorCipherOrder: suite === 'chacha20-poly1305',
      rejectUnauthorized: false,
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  listen(address: ListenAddress, accept: (stream: SecureStream) => void): Promise<SecureListener> {
    const server = createServer({
      ...this.#options,
      requestCert: true,
      noDelay: true,
      handshakeTimeout: handshakeTimeoutMs,
    });
    limitHandshakes(server);
    server.on('secureConnection', (socket) => {
      const stream = openStream(socket);
      if (stream === undefined) return;
      readIntoSharedBuffer(socket, stream.receive);
      accept(stream);
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(translateSocketError(error, 'listen')));
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error');
        // Later errors of a listening socket (no descriptors left) lose one connection, not the box.
        server.on('error', () => {});
        resolve({ port: (server.address() as AddressInfo).port, close: () => closeServer(server) });
      });
    });
  }

  connect(address: PeerAddress, { timeoutMs }: ConnectOptions): Promise<SecureStream> {
    return new Promise((resolve, reject) => {
      let stream: TlsStream | undefined;
      const onread: OnReadOpts = {
        buffer: sharedReadBuffer,
        callback: (count) => {
          stream?.receive(sharedReadBuffer.subarray(0, count));
          return true;
        },
      };
      const options: ConnectionOptions & { onread: OnReadOpts } = {
        ...this.#options,
        ...address,
        onread,
        checkServerIdentity: () => undefined,
      };
      const socket = connect(options);
      const fail = (error: Error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const onError = (error: Error) => fail(translateSocketError(error, 'handshake'));
      const onClose = () => fail(linkError('LINK_HANDSHAKE', 'the other side closed during the handshake'));
      const timer = setTimeout(
        () => fail(linkError('LINK_TIMEOUT', `no answer from ${address.host} in ${timeoutMs} ms`)),
        timeoutMs,
      );
      socket.on('error', onError);
      socket.once('close', onClose);
      socket.once('secureConnect', () => {
        clearTimeout(timer);
        socket.off('close', onClose);
        stream = openStream(socket);
        if (stream === undefined) reject(linkError('LINK_HANDSHAKE', 'the other side shows no P-256 key'));
        else resolve(stream);
        socket.off('error', onError);
      });
    });
  }
}

/** Bounds the handshakes under way; those that are done count above, where it is known who is a member. */
function limitHandshakes(server: Server): void {
  const handshakes = new Handshakes<Socket>();
  const sockets = new Map<string, Socket>();
  const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  server.on('connection', (socket) => {
    const name = nameOf(socket);
    sockets.set(name, socket);
    handshakes.begin(socket, socket.remoteAddress ?? '');
    socket.once('close', () => {
      handshakes.end(socket);
      if (sockets.get(name) === socket) sockets.delete(name);
    });
  });
  server.on('secureConnection', (socket) => {
    const name = nameOf(socket);
    const plain = sockets.get(name);
    sockets.delete(name);
    if (plain !== undefined) handshakes.end(plain);
  });
}

/** The stream of a finished handshake; a socket whose other side shows no P-256 key is destroyed instead. */
function openStream(socket: TLSSocket): TlsStream | undefined {
  const publicKey: Bytes | undefined = p256KeyOf(socket.getPeerX509Certificate());
  if (publicKey === undefined || socket.remoteAddress === undefined) {
    socket.on('error', () => {});
    socket.destroy();
    return undefined;
  }
  socket.setNoDelay(true);
  return new TlsStream(socket, publicKey);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Resolves when it listens no more; `close`'s own callback would wait for the accepted streams as well.
    server.close();
    setImmediate(resolve);
  });
}
