import { type Bytes, fromUtf8, utf8 } from '../../base/bytes.ts';
import { dnsLabelBytesMax, dnsNameBytesMax } from '../../base/discovery-limits.ts';
import { malformed } from './dns-error.ts';

/**
 * A domain name as its labels, without the root: `['Mr. Box', '_http', '_tcp', 'local']`. A dot inside a label is a
 * character like any other, so a name is never written as one dotted string. A label is text; bytes of others that
 * are no UTF-8 are carried one by one as the lone surrogates U+DC80–U+DCFF, so that every label survives the way
 * through us unchanged.
 */
export type Name = readonly string[];

/** The bytes of one label as they stand on the wire, without their length. 1–63 of them (RFC 1035 §2.3.4). */
export function labelBytes(label: string): Bytes {
  const bytes = asciiBytes(label) ?? (label.isWellFormed() ? utf8(label) : lowBytes(label));
  if (bytes.length === 0 || bytes.length > dnsLabelBytesMax)
    throw malformed('a label of 1 to 63 bytes was expected');
  return bytes;
}

/** Nearly every label is ASCII, for which the encoder of UTF-8 takes longer. */
function asciiBytes(label: string): Bytes | undefined {
  if (label.length > dnsLabelBytesMax) return undefined;
  const bytes = new Uint8Array(label.length);
  for (let index = 0; index < bytes.length; index++) {
    const unit = label.charCodeAt(index);
    if (unit >= 0x80) return undefined;
    bytes[index] = unit;
  }
  return bytes;
}

function lowBytes(label: string): Bytes {
  return Uint8Array.from(label, (unit) => unit.charCodeAt(0) & 0xff);
}

/** The label that {@link labelBytes} turns into `bytes`. */
export function labelOf(bytes: Bytes): string {
  // Nearly every label is ASCII, for which the decoder of UTF-8 takes ten times as long.
  if (isAscii(bytes)) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  const text = fromUtf8(bytes);
  if (text !== undefined) return text;
  return String.fromCharCode(...Array.from(bytes, (byte) => (byte < 0x80 ? byte : 0xdc00 | byte)));
}

/** The labels of `name` as bytes; `DNS_MALFORMED` when it would take more than 255 on the wire. */
export function nameLabels(name: Name): readonly Bytes[] {
  const labels = name.map(labelBytes);
  const size = labels.reduce((sum, label) => sum + 1 + label.length, 1);
  if (size > dnsNameBytesMax) throw malformed('a name of at most 255 bytes was expected');
  return labels;
}

/** A string that two names share exactly when they are the same name: ASCII case does not count (RFC 6762 §16). */
export function nameKey(name: Name): string {
  const known = knownKeys.get(name);
  if (known !== undefined) return known;
  let key = '';
  for (const label of name) key += `${label.length}.${lowerAscii(label)}`;
  knownKeys.set(name, key);
  return key;
}

/** Keys already worked out: one name is looked up many times, and may have 127 labels. */
const knownKeys = new WeakMap<Name, string>();

export function sameName(a: Name, b: Name): boolean {
  return a.length === b.length && a.every((label, index) => sameLabel(label, b[index]!));
}

function sameLabel(a: string, b: string): boolean {
  return a === b || (a.length === b.length && lowerAscii(a) === lowerAscii(b));
}

function isAscii(bytes: Bytes): boolean {
  for (let index = 0; index < bytes.length; index++) if (bytes[index]! >= 0x80) return false;
  return true;
}

function lowerAscii(label: string): string {
  return !/[A-Z]/.test(label) ? label : label.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}
