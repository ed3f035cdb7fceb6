import { timingSafeEqual } from 'node:crypto';
import { type Bytes, concat, utf8 } from '../../base/bytes.ts';
import { AetherError } from '../../base/errors.ts';
import { webFormBytesMax } from '../../base/face-limits.ts';
import type { HttpRequest } from '../../ports/http-server.ts';
import type { Session } from './sessions.ts';

export type WebErrorCode =
  /** Larger than any form of this page, or not one. */
  | 'FORM_INVALID'
  /** Sent by a page of somebody else, or of a session that has ended. */
  | 'FORM_FOREIGN'
  /** Too many codes were tried in the last minute. */
  | 'LOGINS_TOO_MANY'
  /** No such page. */
  | 'PAGE_UNKNOWN';

export function webError(code: WebErrorCode, message: string, help = ''): AetherError<WebErrorCode> {
  return new AetherError(code, message, { help });
}

/** The fields of a form. Errors: `FORM_INVALID`. */
export async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) throw invalid();
  const parts: Bytes[] = [];
  let bytes = 0;
  for await (const part of request.body) {
    bytes += part.length;
    if (bytes > webFormBytesMax) throw invalid();
    parts.push(part);
  }
  return new URLSearchParams(new TextDecoder().decode(concat(parts)));
}

/**
 * Whether the request comes from a page of this very host, as browsers say of themselves (Fetch Metadata; older ones by
 * Origin), or from no page at all. Who forges these headers is no browser, and has no cookie of one.
 */
export function isFromHere({ headers }: HttpRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin, host } = headers;
  return origin === undefined || origin === `https://${host}`;
}

/** Errors: `FORM_FOREIGN`, unless `token` is that of the session. */
export function checkToken(session: Session, token: string | null | undefined): void {
  if (!isSameText(token, session.token)) throw foreign();
}

/** Compared in a time that tells nothing of the texts; false when there is none. */
export function isSameText(given: string | null | undefined, wanted: string | undefined): boolean {
  if (wanted === undefined) return false;
  const [a, b] = [utf8(given ?? ''), utf8(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function foreign(): AetherError<WebErrorCode> {
  return webError('FORM_FOREIGN', 'this page is too old to do that', 'Load it again, and try once more.');
}

function invalid(): AetherError<WebErrorCode> {
  return webError('FORM_INVALID', 'that is no form of this page');
}
