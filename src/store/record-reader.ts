import { crc32 } from 'node:zlib';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { DiskFile } from '../ports/disk.ts';
import type { Location } from './chunk-index.ts';
import { decodeRecordHeader, recordHeaderBytes } from './record.ts';

/**
 * Reads the body of the record of chunk `id` at `location`, header and body in one read, into memory that `allocate`
 * gives; undefined when what stands there is not that record, whole. Errors: `DiskErrorCode`.
 */
export async function readRecord(
  file: DiskFile,
  location: Location,
  id: Bytes,
  allocate: (bytes: number) => Bytes = allocateAlone,
): Promise<Bytes | undefined> {
  const bytes = allocate(recordHeaderBytes + location.bodyBytes);
  if ((await file.read(bytes, location.offset)) < bytes.length) return undefined;
  const header = decodeRecordHeader(bytes, 0, location.segment);
  if (header === undefined || header.bodyBytes !== location.bodyBytes || !equalBytes(header.id, id)) {
    return undefined;
  }
  const body = bytes.subarray(recordHeaderBytes);
  return crc32(body) === header.bodyCrc ? body : undefined;
}

function allocateAlone(bytes: number): Bytes {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);
}
