import { type Bytes, toHex } from '../../base/bytes.ts';
import { bundlePartBytes } from '../../base/face-limits.ts';
import { rangeOf } from '../../base/http-range.ts';
import type { Log } from '../../base/log.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { HttpListener, HttpRequest, HttpResponse, HttpServer } from '../../ports/http-server.ts';
import type { BundleSource } from './updater.ts';

export interface PeerBundleOptions {
  readonly totalBytes: number;
  /** Reads from the other box; at most `bundlePartBytes`, exactly as many as are asked for. */
  readonly read: (offset: number, bytes: number) => Promise<Bytes>;
}

export interface PeerBundlePorts {
  readonly server: HttpServer;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * Another box's bundle as a URL on this computer alone, for the installer, which asks for ranges (RFC 9110 §14): only
 * what differs from the systems that are here already is fetched from the other box.
 */
export class PeerBundle implements BundleSource {
  readonly place: string;
  readonly #options: PeerBundleOptions;
  readonly #ports: PeerBundlePorts;
  readonly #listener: HttpListener;
  #fetchedBytes = 0;

  private constructor(
    options: PeerBundleOptions,
    ports: PeerBundlePorts,
    listener: HttpListener,
    name: string,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#listener = listener;
    this.place = `http://127.0.0.1:${listener.port}/${name}`;
  }

  /** Errors: those of `HttpServer.listen`. */
  static async open(options: PeerBundleOptions, ports: PeerBundlePorts): Promise<PeerBundle> {
    // Others on this computer cannot guess it.
    const name = `${toHex(ports.entropy.bytes(16))}.raucb`;
    let bundle: PeerBundle | undefined;
    const listener = await ports.server.listen({ host: '127.0.0.1', port: 0 }, undefined, async (request) => {
      if (request.path.length !== 1 || request.path[0] !== name) return notFound;
      return bundle?.answer(request) ?? notFound;
    });
    bundle = new PeerBundle(options, ports, listener, name);
    return bundle;
  }

  answer({ method, headers }: HttpRequest): HttpResponse {
    const { totalBytes } = this.#options;
    if (method === 'HEAD') {
      return { status: 200, headers: { 'content-length': String(totalBytes), 'accept-ranges': 'bytes' } };
    }
    if (method !== 'GET') return { status: 405, headers: { allow: 'GET, HEAD' } };
    const range = rangeOf(headers.range, totalBytes);
    if (range === 'unsatisfiable')
      return { status: 416, headers: { 'content-range': `bytes */${totalBytes}` } };
    const { offset, length } = range ?? { offset: 0, length: totalBytes };
    return {
      status: range === undefined ? 200 : 206,
      headers: {
        'content-length': String(length),
        'accept-ranges': 'bytes',
        ...(range === undefined
          ? {}
          : { 'content-range': `bytes ${offset}-${offset + length - 1}/${totalBytes}` }),
      },
      body: this.#parts(offset, offset + length),
    };
  }

  async close(): Promise<void> {
    await this.#listener.close();
    const { totalBytes } = this.#options;
    this.#ports.log.info('update read from another box', { bytes: this.#fetchedBytes, of: totalBytes });
  }

  async *#parts(from: number, to: number): AsyncGenerator<Bytes> {
    for (let offset = from; offset < to; ) {
      const bytes = await this.#options.read(offset, Math.min(bundlePartBytes, to - offset));
      this.#fetchedBytes += bytes.length;
      yield bytes;
      offset += bytes.length;
    }
  }
}

const notFound: HttpResponse = { status: 404, headers: {} };
