import { type Bytes, utf8 } from '../../base/bytes.ts';
import type { HttpResponse } from '../../ports/http-server.ts';
import type { Html } from './html.ts';

/**
 * On every answer: nothing from elsewhere, no inline script or style, no frame around it, no referrer for others, and nothing kept
 * in a cache that somebody else may look into.
 */
export const commonHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

type Headers = Readonly<Record<string, string | readonly string[]>>;

export function htmlAnswer(
  html: Html,
  { status = 200, headers = {} }: { status?: number; headers?: Headers } = {},
): HttpResponse {
  return {
    status,
    headers: { ...commonHeaders, 'content-type': 'text/html; charset=utf-8', ...headers },
    body: utf8(html.text),
  };
}

export function textAnswer(status: number, text: string, headers: Headers = {}): HttpResponse {
  return {
    status,
    headers: { ...commonHeaders, 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: utf8(text),
  };
}

/** After a deed: the browser asks for another page, so that reloading it does nothing twice. */
export function seeOther(location: string, headers: Headers = {}): HttpResponse {
  return { status: 303, headers: { ...commonHeaders, location, ...headers } };
}

/** A file that belongs to the page itself. It may be kept until the program changes. */
export function assetAnswer(type: string, body: Bytes): HttpResponse {
  return {
    status: 200,
    headers: { ...commonHeaders, 'content-type': type, 'cache-control': 'no-cache' },
    body,
  };
}
