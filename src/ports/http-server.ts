import type { Bytes } from '../base/bytes.ts';
import type { ListenAddress } from './secure-transport.ts';

/** One request of a browser, as far as its headers have come. */
export interface HttpRequest {
  /** `GET`, in capitals. */
  readonly method: string;
  /** Names between the slashes, percent-decoded; none for `/`. A path that cannot be decoded is answered before. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Names in small letters; a header that came several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Address of the other end. */
  readonly remote: string;
  /** Read at most once, and only as fast as it is asked for. Ends with an error when the other end goes away. */
  readonly body: AsyncIterable<Bytes>;
  /** Aborted when the other end goes away. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** A stream is asked for more only when the other end took what it had. */
  readonly body?: Bytes | AsyncIterable<Bytes>;
}

/** Answers a request. A rejection is a bug of ours: the other end gets a bare 500. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>;

/** What a server shows in TLS: PEM of PKCS #8 and of the certificate. */
export interface HttpCertificate {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
}

export interface HttpServer {
  /** Over TLS with a certificate, else plain. Errors: `LINK_ADDRESS_IN_USE`, `LINK_DENIED`. */
  listen(
    address: ListenAddress,
    certificate: HttpCertificate | undefined,
    handler: HttpHandler,
  ): Promise<HttpListener>;
}

export interface HttpListener {
  readonly port: number;
  /** Ends what goes on after a moment, and takes nothing more. */
  close(): Promise<void>;
}
