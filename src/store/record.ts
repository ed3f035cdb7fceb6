import { crc32 } from 'node:zlib';
import { type Bytes, copyOf, viewOf } from '../base/bytes.ts';
import { sealedChunkBytesMax } from '../base/limits.ts';

/** Records of a segment: docs/formats.md §5. */

export const recordHeaderBytes = 56;
export const recordAlignment = 8;
export const recordKinds = { chunk: 1, deleted: 2 } as const;

const magic = 0x41457231; // 'AEr1'
const checkedBytes = 52;

export interface RecordHeader {
  readonly kind: number;
  readonly bodyBytes: number;
  readonly bodyCrc: number;
  readonly id: Bytes;
}

/** Bytes that a record takes in its segment: header, body and padding. */
export function recordBytes(bodyBytes: number): number {
  return recordHeaderBytes + bodyBytes + paddingBytes(bodyBytes);
}

/** Bytes that records with these bodies take, end to end. */
export function recordsBytes(records: readonly { readonly body: Bytes }[]): number {
  let bytes = 0;
  for (const { body } of records) bytes += recordBytes(body.length);
  return bytes;
}

export function paddingBytes(bodyBytes: number): number {
  return -(recordHeaderBytes + bodyBytes) & (recordAlignment - 1);
}

/** Writes a header to `into[offset..offset + 56)`. */
export function encodeRecordHeader(header: RecordHeader, segment: number, into: Bytes, offset: number): void {
  const view = viewOf(into);
  view.setUint32(offset, magic);
  view.setUint32(offset + 4, header.kind << 24);
  view.setUint32(offset + 8, header.bodyBytes);
  view.setUint32(offset + 12, header.bodyCrc);
  into.set(header.id, offset + 16);
  view.setUint32(offset + 48, segment);
  view.setUint32(offset + checkedBytes, crc32(into.subarray(offset, offset + checkedBytes)));
}

/**
 * The header at `offset`, or undefined when there is none of this segment. A header whose checksum holds is taken
 * whatever its kind is: that a kind is unknown is for the caller to see.
 */
export function decodeRecordHeader(bytes: Bytes, offset: number, segment: number): RecordHeader | undefined {
  if (offset + recordHeaderBytes > bytes.length) return undefined;
  // The most frequent way not to be a header, told without making a view.
  if (bytes[offset] !== 0x41 || bytes[offset + 1] !== 0x45) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(offset) !== magic || view.getUint32(offset + 48) !== segment) return undefined;
  if (view.getUint32(offset + checkedBytes) !== crc32(bytes.subarray(offset, offset + checkedBytes))) {
    return undefined;
  }
  const bodyBytes = view.getUint32(offset + 8);
  if (bodyBytes > sealedChunkBytesMax) return undefined;
  return {
    kind: bytes[offset + 4]!,
    bodyBytes,
    bodyCrc: view.getUint32(offset + 12),
    id: copyOf(bytes.subarray(offset + 16, offset + 48)),
  };
}
