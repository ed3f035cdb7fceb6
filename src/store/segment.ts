import { crc32 } from 'node:zlib';
import { type Bytes, equalBytes, utf8, viewOf } from '../base/bytes.ts';
import { storeError } from './errors.ts';

/** Segment files: docs/formats.md §5. */

export const segmentHeaderBytes = 32;
export const segmentsFolder = 'segments';

const magic = utf8('AESEG001');
const magicNameBytes = 5;
const checkedBytes = 28;

/** `segments/00000007.seg` */
export function segmentPath(segment: number): string {
  return `${segmentsFolder}/${String(segment).padStart(8, '0')}.seg`;
}

/** The numbers of the segments among the names of a folder, rising. */
export function segmentNumbers(names: readonly string[]): readonly number[] {
  return names
    .flatMap((name) => (/^\d{8}\.seg$/.test(name) ? [Number(name.slice(0, 8))] : []))
    .sort((a, b) => a - b);
}

export function encodeSegmentHeader(volume: Bytes, segment: number): Bytes {
  const header = new Uint8Array(segmentHeaderBytes);
  header.set(magic);
  header.set(volume, 8);
  const view = viewOf(header);
  view.setUint32(24, segment);
  view.setUint32(checkedBytes, crc32(header.subarray(0, checkedBytes)));
  return header;
}

/**
 * What a segment file begins with: `own`; `other` when it is a segment, but of another volume or with another
 * number; `invalid`. Errors: `VOLUME_VERSION_UNKNOWN`.
 */
export function checkSegmentHeader(
  header: Bytes,
  volume: Bytes,
  segment: number,
): 'own' | 'other' | 'invalid' {
  if (header.length < segmentHeaderBytes) return 'invalid';
  const view = viewOf(header);
  if (view.getUint32(checkedBytes) !== crc32(header.subarray(0, checkedBytes))) return 'invalid';
  if (!equalBytes(header.subarray(0, magicNameBytes), magic.subarray(0, magicNameBytes))) return 'invalid';
  if (!equalBytes(header.subarray(0, magic.length), magic)) {
    throw storeError('VOLUME_VERSION_UNKNOWN', 'a segment of the volume has a version that is not known');
  }
  return equalBytes(header.subarray(8, 24), volume) && view.getUint32(24) === segment ? 'own' : 'other';
}
