import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Bytes } from '../base/bytes.ts';
import { describeError } from '../base/errors.ts';
import {
  httpCloseMs,
  httpConnectionsMax,
  httpHeaderBytesMax,
  httpHeadersTimeoutMs,
  httpIdleMs,
} from '../base/face-limits.ts';
import type { Log } from '../base/log.ts';
import type {
  HttpCertificate,
  HttpHandler,
  HttpListener,
  HttpRequest,
  HttpResponse,
  HttpServer,
} from '../ports/http-server.ts';
import type { ListenAddress } from '../ports/secure-transport.ts';
import { translateSocketError } from './tls-errors.ts';

/** HTTP/1.1 by Node, over TLS 1.3. Slow and idle clients are dropped, and there are only so many. */
export class NodeHttpServer implements HttpServer {
  readonly #log: Log;
  readonly #idleMs: number;

  constructor({ log, idleMs = httpIdleMs }: { readonly log: Log; readonly idleMs?: number }) {
    this.#log = log;
    this.#idleMs = idleMs;
  }

  listen(
    address: ListenAddress,
    certificate: HttpCertificate | undefined,
    handler: HttpHandler,
  ): Promise<HttpListener> {
    const server = serverOf(certificate, (message, reply) => void this.#serve(handler, message, reply));
    server.maxConnections = httpConnectionsMax;
    server.setTimeout(this.#idleMs);
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(translateSocketError(error, 'listen')));
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error');
        server.on('error', () => {});
        resolve({ port: (server.address() as AddressInfo).port, close: () => closeServer(server) });
      });
    });
  }

  async #serve(handler: HttpHandler, message: IncomingMessage, reply: ServerResponse): Promise<void> {
    const gone = new AbortController();
    reply.once('close', () => gone.abort());
    // Who has sent everything waits for us: checking an update takes minutes. The answer starts the time again.
    reply.on('timeout', (socket) => {
      if (!message.complete || reply.headersSent) socket.destroy();
    });
    try {
      const request = requestOf(message, gone.signal);
      const response = request === undefined ? badRequest : await handler(request);
      await send(response, reply, gone.signal);
      if (!message.complete) drop(message);
    } catch (error) {
      if (!gone.signal.aborted)
        this.#log.error('request failed unexpectedly', { error: describeError(error) });
      if (reply.headersSent) reply.destroy();
      else reply.writeHead(500, { 'content-length': '0', connection: 'close' }).end();
    }
  }
}

/** What was not read of a body is not read: the other end has a moment to see the answer, then the connection ends. */
function drop(message: IncomingMessage): void {
  message.resume();
  setTimeout(() => message.destroy(), httpCloseMs).unref();
}

const badRequest: HttpResponse = { status: 400, headers: { connection: 'close' } };

function serverOf(
  certificate: HttpCertificate | undefined,
  listener: (message: IncomingMessage, reply: ServerResponse) => void,
): Server {
  const options: ServerOptions = {
    maxHeaderSize: httpHeaderBytesMax,
    headersTimeout: httpHeadersTimeoutMs,
    // An upload may take an hour; one that stalls is ended by the idle limit.
    requestTimeout: 0,
    keepAliveTimeout: httpHeadersTimeoutMs,
    insecureHTTPParser: false,
  };
  if (certificate === undefined) return createPlainServer(options, listener);
  const { privateKeyPem: key, certificatePem: cert } = certificate;
  return createTlsServer({ ...options, key, cert, minVersion: 'TLSv1.3' }, listener);
}

/** Undefined: a target that is no path of ours. */
function requestOf(message: IncomingMessage, signal: AbortSignal): HttpRequest | undefined {
  const { method = '', url = '', headers } = message;
  if (!url.startsWith('/')) return undefined;
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  const names = namesOf(path);
  if (names === undefined) return undefined;
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return {
    method,
    path: names,
    query: new URLSearchParams(query),
    headers: Object.fromEntries(entries),
    remote: message.socket.remoteAddress ?? '',
    body: message as AsyncIterable<Bytes>,
    signal,
  };
}

function namesOf(path: string): readonly string[] | undefined {
  try {
    const inner = path.slice(1).replace(/\/$/, '');
    return inner === '' ? [] : inner.split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

async function send(response: HttpResponse, reply: ServerResponse, signal: AbortSignal): Promise<void> {
  const { status, headers, body } = response;
  const whole = body === undefined || body instanceof Uint8Array;
  reply.writeHead(status, {
    ...(whole && status !== 204 && status !== 304 ? { 'content-length': String(body?.length ?? 0) } : {}),
    ...(headers as Record<string, string | string[]>),
  });
  if (whole) {
    reply.end(body);
    return;
  }
  reply.flushHeaders();
  for await (const bytes of body) {
    if (signal.aborted) return;
    if (!reply.write(bytes)) await drained(reply, signal);
  }
  reply.end();
}

function drained(reply: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      reply.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    reply.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), httpCloseMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
