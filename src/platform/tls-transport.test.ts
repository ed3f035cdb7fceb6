import assert from 'node:assert/strict';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls, createServer, type TLSSocket } from 'node:tls';
import { handshakesPerAddressMax } from '../base/limits.ts';
import type { SecureStream } from '../ports/secure-transport.ts';
import { secureTransportContract } from '../testing/contracts/secure-transport-contract.ts';
import { type TestCertificate, testCertificate } from '../testing/test-certificate.ts';
import { readIntoSharedBuffer } from './tls-read-buffer.ts';
import { TlsStream } from './tls-stream.ts';
import { TlsTransport } from './tls-transport.ts';

const host = '127.0.0.1';

secureTransportContract('TLS', async () => {
  const [server, client] = [await testCertificate(), await testCertificate()];
  return {
    server: new TlsTransport(server),
    client: new TlsTransport(client),
    serverPublicKey: server.publicKey,
    clientPublicKey: client.publicKey,
    host,
    settle: (promise) => promise,
    elapse: (durationMs) => delay(durationMs),
  };
});

/** A transport that listens, and who it let in. */
async function listening(t: TestContext, suite: 'aes-256-gcm' | 'chacha20-poly1305' = 'aes-256-gcm') {
  const accepted: SecureStream[] = [];
  const transport = new TlsTransport({ ...(await testCertificate()), suite });
  const { port, close } = await transport.listen({ host, port: 0 }, (stream) => accepted.push(stream));
  t.after(async () => {
    for (const stream of accepted) stream.destroy();
    await close();
  });
  return { port, accepted };
}

/** How a plain TLS client fares: resolves when the server has closed. */
async function turnedAway(port: number, options: ConnectionOptions): Promise<void> {
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
}

test('a client without a certificate is turned away, and the listener goes on', async (t) => {
  const { port, accepted } = await listening(t);
  await turnedAway(port, {});
  assert.equal(accepted.length, 0);
  const stream = await new TlsTransport(await testCertificate()).connect({ host, port }, { timeoutMs: 5000 });
  stream.destroy();
});

test('connections that say nothing keep nobody out, and lose their places', async (t) => {
  const { port, accepted } = await listening(t);
  const own = { ...(await testCertificate()) };
  const first = await new TlsTransport(own).connect({ host, port }, { timeoutMs: 5000 });
  let closed = 0;
  const silent = Array.from({ length: 330 }, () => connectTcp(port, host));
  for (const socket of silent) {
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    socket.resume();
  }
  t.after(() => {
    first.destroy();
    for (const socket of silent) socket.destroy();
  });
  await Promise.all(
    silent.map((socket) => new Promise((done) => socket.once('connect', done).once('close', done))),
  );
  const second = await new TlsTransport(own).connect({ host, port }, { timeoutMs: 5000 });
  while (closed < silent.length - handshakesPerAddressMax) await delay(5);
  // The client is done with its handshake before the server is.
  while (accepted.length < 2) await delay(5);
  let open = true;
  first.attach({ data: () => {}, drain: () => {}, closed: () => (open = false) });
  second.destroy();
  await delay(5);
  assert.equal(open, true, 'who is in stays in');
});

test('a client whose key is of another curve is turned away', async (t) => {
  const { port, accepted } = await listening(t);
  const { privateKeyPem, certificatePem } = await testCertificate('P-384');
  await turnedAway(port, { key: privateKeyPem, cert: certificatePem });
  assert.equal(accepted.length, 0);
});

test('a client that speaks no TLS 1.3, or no TLS at all, is turned away', async (t) => {
  const { port, accepted } = await listening(t);
  const { privateKeyPem, certificatePem } = await testCertificate();
  await turnedAway(port, { key: privateKeyPem, cert: certificatePem, maxVersion: 'TLSv1.2' });
  const plain = connectTcp(port, host, () => plain.write('GET / HTTP/1.1\r\n\r\n'));
  plain.on('error', () => {});
  plain.resume();
  await new Promise((resolve) => plain.once('close', resolve));
  assert.equal(accepted.length, 0);
});

test('a server whose key is of another curve is LINK_HANDSHAKE', async (t) => {
  const { privateKeyPem, certificatePem } = await testCertificate('P-384');
  const server = createServer({ key: privateKeyPem, cert: certificatePem }, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = new TlsTransport(await testCertificate());
  await assert.rejects(client.connect({ host, port }, { timeoutMs: 5000 }), { code: 'LINK_HANDSHAKE' });
});

test('a server that accepts and says nothing is LINK_TIMEOUT; one that closes or talks nonsense, LINK_HANDSHAKE', async (t) => {
  const sockets: Socket[] = [];
  const behaviours = [
    () => {},
    (socket: Socket) => socket.destroy(),
    (socket: Socket) => socket.end('hello\r\n'),
  ];
  const codes = ['LINK_TIMEOUT', 'LINK_HANDSHAKE', 'LINK_HANDSHAKE'];
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    behaviours[sockets.push(socket) - 1]?.(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const client = new TlsTransport(await testCertificate());
  for (const code of codes) {
    const { port } = server.address() as AddressInfo;
    await assert.rejects(client.connect({ host, port }, { timeoutMs: 300 }), { code });
  }
});

test('ChaCha20 is used when either end prefers it, AES otherwise', async (t) => {
  for (const [server, client, expected] of [
    ['aes-256-gcm', 'aes-256-gcm', 'TLS_AES_256_GCM_SHA384'],
    ['chacha20-poly1305', 'aes-256-gcm', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['aes-256-gcm', 'chacha20-poly1305', 'TLS_CHACHA20_POLY1305_SHA256'],
  ] as const) {
    const { port } = await listening(t, server);
    const { privateKeyPem, certificatePem } = await testCertificate();
    const transport = new TlsTransport({ privateKeyPem, certificatePem, suite: client });
    const stream = await transport.connect({ host, port }, { timeoutMs: 5000 });
    assert.ok(stream instanceof TlsStream);
    assert.equal(stream.cipher, expected);
    stream.destroy();
  }
});

test('accepted sockets read into the shared buffer on the runtime we ship', async (t) => {
  const { privateKeyPem, certificatePem }: TestCertificate = await testCertificate();
  const server = createServer({ key: privateKeyPem, cert: certificatePem });
  const using = new Promise<boolean>((resolve) => {
    server.once('secureConnection', (socket) => {
      resolve(readIntoSharedBuffer(socket, () => {}));
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.after(() => server.close());
  await turnedAway((server.address() as AddressInfo).port, {});
  assert.equal(await using, true);
});
