/** Operations on byte arrays that every floor needs. All integers on disk and wire are big-endian. */

export type Bytes = Uint8Array;

export const emptyBytes: Bytes = new Uint8Array(0);

/** One array holding `parts` end to end. */
export function concat(parts: readonly Bytes[]): Bytes {
  const only = parts[0];
  if (parts.length === 1 && only !== undefined) return only;
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function sizeOf(parts: readonly Bytes[]): number {
  let size = 0;
  for (const part of parts) size += part.length;
  return size;
}

/** Lexicographic order of unsigned bytes; a prefix sorts before what it begins. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const common = Math.min(a.length, b.length);
  for (let index = 0; index < common; index++) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

export function startsWith(bytes: Bytes, prefix: Bytes): boolean {
  return bytes.length >= prefix.length && equalBytes(bytes.subarray(0, prefix.length), prefix);
}

export function toHex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** The bytes that `text` (even length, hexadecimal digits only) writes, or undefined when it is no hexadecimal. */
export function fromHex(text: string): Bytes | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'hex'));
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of well-formed UTF-8, or undefined. */
export function fromUtf8(bytes: Bytes): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy that owns its memory: for bytes that outlive the buffer they were read into. */
export function copyOf(bytes: Bytes): Bytes {
  return new Uint8Array(bytes);
}
