import { hash } from 'node:crypto';
import { encodeCbor } from '../../base/cbor.ts';
import { contentToCbor, emptyContent } from '../../files/contents/content.ts';
import type { RemoteEntry } from '../../files/tree/remote-entry.ts';

/**
 * A strong entity tag (RFC 9110 §8.8.3): another one for other bytes, whatever times and names say. It is a hash of the
 * file's references, which name their chunks by the bytes in them.
 */
export function entityTag({ content }: Pick<RemoteEntry, 'content'>): string {
  return `"${hash('sha256', encodeCbor(contentToCbor(content ?? emptyContent)))}"`;
}

/** What a browser knows of a file; `mtimeMs` was set by who stored it, and proves nothing. */
export interface Validators {
  readonly etag: string;
  readonly mtimeMs: number;
}

type Headers = Readonly<Record<string, string>>;

/**
 * What is answered instead of the file, for it is not what the request relies on, or is what it has already (RFC 9110
 * §13.2.2). `If-Modified-Since` is not looked at: a file may be replaced by an older one.
 */
export function unmetPrecondition(headers: Headers, { etag, mtimeMs }: Validators): 304 | 412 | undefined {
  const match = headers['if-match'];
  if (match !== undefined ? !names(match, etag) : isModifiedSince(mtimeMs, headers['if-unmodified-since'])) {
    return 412;
  }
  const noneMatch = headers['if-none-match'];
  return noneMatch !== undefined && names(noneMatch.replaceAll('W/', ''), etag) ? 304 : undefined;
}

/** The range that is asked for, unless it is to go on from a part of another version (RFC 9110 §13.1.5). */
export function rangeStillMeant(headers: Headers, { etag }: Validators): string | undefined {
  const condition = headers['if-range'];
  // A date never proves that it is the same.
  return condition === undefined || condition.trim() === etag ? headers.range : undefined;
}

function names(list: string, etag: string): boolean {
  return list.split(',').some((each) => each.trim() === etag || each.trim() === '*');
}

function isModifiedSince(mtimeMs: number, date: string | undefined): boolean {
  const sinceMs = Date.parse(date ?? '');
  return Math.floor(mtimeMs / 1000) * 1000 > sinceMs;
}
