import type { WebAssets } from './access/web/web-face.ts';
import { WebFace } from './access/web/web-face.ts';
import { encodeCbor } from './base/cbor.ts';
import { describeError, hasCode } from './base/errors.ts';
import type { Log } from './base/log.ts';
import type { Box } from './box.ts';
import type { WebPorts } from './box-announcer.ts';
import type { ApplianceControl } from './control/appliance-control.ts';
import { prometheusText } from './platform/prometheus.ts';
import { methods } from './pool/transfer/methods.ts';
import { fingerprintOf, loadOrCreateWebCertificate } from './pool/web-certificate.ts';
import type { Clock } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { HttpHandler, HttpListener, HttpServer } from './ports/http-server.ts';

export interface BoxWebOptions {
  readonly box: Box;
  readonly control: ApplianceControl;
  readonly assets: WebAssets;
  /** `aether-3f2a.local`, for the certificate. */
  readonly hostName: string;
  readonly host: string;
  /** Tried one after the other. */
  readonly ports: readonly number[];
  /** Where plain HTTP is sent on to the page from; none where it is not wanted. */
  readonly plainPort: number | null;
}

export interface BoxWebPorts {
  readonly server: HttpServer;
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The box's page on the network. */
export class BoxWeb {
  readonly port: number;
  /** What leads to it from plain HTTP. */
  readonly plainPort: number | null;
  /** SHA-256 of its certificate, by which a person can tell that no other page is shown. */
  readonly fingerprint: string;
  readonly #listeners: readonly HttpListener[];

  private constructor(
    { port, plainPort }: WebPorts,
    fingerprint: string,
    listeners: readonly HttpListener[],
  ) {
    this.port = port;
    this.plainPort = plainPort;
    this.fingerprint = fingerprint;
    this.#listeners = listeners;
  }

  /** Errors: `LINK_ADDRESS_IN_USE`, `LINK_DENIED` when none of the ports can be had; those of the state disk. */
  static async start(options: BoxWebOptions, ports: BoxWebPorts): Promise<BoxWeb> {
    const { box, control, assets, host, hostName } = options;
    const log = ports.log.part('web');
    const certificate = await loadOrCreateWebCertificate(hostName, { ...ports, disk: ports.stateDisk, log });
    const face = new WebFace(
      {
        control,
        entry: box.page,
        files: () => box.pool?.files,
        assets,
        metrics: prometheusText,
        metricsToken: () => box.pool?.metricsToken(),
      },
      { clock: ports.clock, entropy: ports.entropy, log },
    );
    const listen = (port: number) =>
      ports.server.listen({ host, port }, certificate, (request) => face.handle(request));
    const listener = await firstFree(options.ports, listen);
    const plain = await plainListener(options, listener.port, { ...ports, log });
    const listeners = plain === undefined ? [listener] : [listener, plain];
    const shown = { port: listener.port, plainPort: plain?.port ?? null };
    return new BoxWeb(shown, fingerprintOf(certificate), listeners);
  }

  async close(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

async function firstFree(
  candidates: readonly number[],
  listen: (port: number) => Promise<HttpListener>,
): Promise<HttpListener> {
  let taken: unknown;
  for (const port of candidates) {
    try {
      return await listen(port);
    } catch (error) {
      if (!hasCode(error, 'LINK_ADDRESS_IN_USE') && !hasCode(error, 'LINK_DENIED')) throw error;
      taken = error;
    }
  }
  throw taken;
}

/** What leads to the page from plain HTTP. Where its port cannot be had the page is there all the same. */
async function plainListener(
  { host, plainPort }: BoxWebOptions,
  port: number,
  { server, log }: BoxWebPorts,
): Promise<HttpListener | undefined> {
  if (plainPort === null) return undefined;
  try {
    return await server.listen({ host, port: plainPort }, undefined, onwards(port));
  } catch (error) {
    log.warn('plain HTTP does not lead to the page', { port: plainPort, reason: describeError(error) });
    return undefined;
  }
}

/** Plain HTTP carries nothing but the way to the page over TLS. */
function onwards(port: number): HttpHandler {
  return async ({ headers, path }) => {
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    const target = path.map(encodeURIComponent).join('/');
    const at = port === 443 ? host : `${host}:${port}`;
    return { status: 307, headers: { location: `https://${at}/${target}`, 'cache-control': 'no-store' } };
  };
}

/** Tells members (method 97 of docs/formats.md §6) where the page is, with a code to log in there. */
export function answerLoginCodes(box: Box, control: ApplianceControl, { port, fingerprint }: BoxWeb): void {
  box.handle(methods.loginCode, async () => {
    return encodeCbor({ port, code: control.pair().code, certificate: fingerprint });
  });
}

/** Where a person finds the page on `address`. */
export function urlOf(address: string, port: number): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `https://${host}${port === 443 ? '' : `:${port}`}/`;
}
