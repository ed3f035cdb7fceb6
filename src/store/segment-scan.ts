import { crc32 } from 'node:zlib';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { scanBufferBytes } from '../base/limits.ts';
import type { DiskFile } from '../ports/disk.ts';
import { storeError } from './errors.ts';
import {
  decodeRecordHeader,
  type RecordHeader,
  recordAlignment,
  recordBytes,
  recordHeaderBytes,
  recordKinds,
} from './record.ts';
import { chunkIdOf } from './seal.ts';

/** A record whose checksums hold. */
export interface FoundRecord {
  readonly kind: number;
  readonly id: Bytes;
  readonly offset: number;
  readonly bodyBytes: number;
}

/** Bytes that are no good record. With an id when the header is whole and only the body is damaged. */
export interface Damage {
  readonly offset: number;
  readonly id: Bytes | undefined;
  readonly bodyBytes: number;
}

export interface ScanResult {
  /** Where the last good record ends: what follows is a torn tail. */
  readonly endOffset: number;
  /** Damage that good records follow. */
  readonly damages: readonly Damage[];
  /** Bad records after the last good one. */
  readonly tailDamages: readonly Damage[];
}

/**
 * Reads a segment from `fromOffset` to its end, hands every good record to `found`, in order, and steps over what
 * is damaged: to where a whole header says that the record ends, else to the next 8-byte border on which a header
 * of this segment stands. Errors: `VOLUME_VERSION_UNKNOWN` (a kind that is not known), `DiskErrorCode`.
 */
export async function scanSegment(
  file: DiskFile,
  segment: number,
  fromOffset: number,
  found: (record: FoundRecord) => void,
): Promise<ScanResult> {
  const reader = new WindowReader(file, await file.sizeBytes());
  const damages: Damage[] = [];
  let suspects: Damage[] = [];
  let endOffset = fromOffset;
  let inGap = false;
  let resynchronised = false;
  for (let offset = fromOffset; offset + recordHeaderBytes <= reader.sizeBytes; ) {
    let at = reader.locate(offset, recordHeaderBytes);
    if (at === undefined) at = await reader.load(offset);
    const header = decodeRecordHeader(reader.window, at, segment);
    if (header === undefined) {
      if (!inGap) suspects.push({ offset, id: undefined, bodyBytes: 0 });
      inGap = true;
      resynchronised = true;
      offset += recordAlignment;
      continue;
    }
    inGap = false;
    if (await isWhole(reader, offset, header, resynchronised)) {
      damages.push(...suspects);
      suspects = [];
      found({ kind: header.kind, id: header.id, offset, bodyBytes: header.bodyBytes });
      endOffset = offset + recordBytes(header.bodyBytes);
    } else {
      suspects.push({ offset, id: header.id, bodyBytes: header.bodyBytes });
    }
    offset += recordBytes(header.bodyBytes);
  }
  if (endOffset < reader.sizeBytes && suspects.length === 0) {
    suspects.push({ offset: endOffset, id: undefined, bodyBytes: 0 });
  }
  return { endOffset, damages, tailDamages: suspects };
}

/**
 * Whether all of the record is there as it was written. Once the scan has had to look for a header, it may look
 * inside a body, where anybody may have written what looks like a record: then the id must prove it.
 */
async function isWhole(
  reader: WindowReader,
  offset: number,
  header: RecordHeader,
  resynchronised: boolean,
): Promise<boolean> {
  if (header.kind !== recordKinds.chunk && header.kind !== recordKinds.deleted) {
    throw storeError('VOLUME_VERSION_UNKNOWN', 'a record of the volume has a kind that is not known', {
      fields: { kind: header.kind },
    });
  }
  const size = recordBytes(header.bodyBytes);
  if (offset + size > reader.sizeBytes) return false;
  const at = (reader.locate(offset, size) ?? (await reader.load(offset))) + recordHeaderBytes;
  const body = reader.window.subarray(at, at + header.bodyBytes);
  if (crc32(body) !== header.bodyCrc) return false;
  return !resynchronised || (header.kind === recordKinds.chunk && equalBytes(chunkIdOf(body), header.id));
}

/** A file read forwards through one buffer. */
class WindowReader {
  readonly window: Bytes = new Uint8Array(scanBufferBytes);
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  #start = 0;
  #filled = 0;

  constructor(file: DiskFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  /** Where the `count` bytes at `offset` of the file are in the window; undefined when they are not. */
  locate(offset: number, count: number): number | undefined {
    const at = offset - this.#start;
    return at >= 0 && at + count <= this.#filled ? at : undefined;
  }

  /** Reads on from `offset`, which is the window's start then: 0. */
  async load(offset: number): Promise<number> {
    this.#filled = await this.#file.read(this.window, offset);
    this.#start = offset;
    return 0;
  }
}
