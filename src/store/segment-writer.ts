import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { segmentBytesMax } from '../base/limits.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import type { Location } from './chunk-index.ts';
import {
  encodeRecordHeader,
  paddingBytes,
  recordBytes,
  recordHeaderBytes,
  recordKinds,
  recordsBytes,
} from './record.ts';
import { encodeSegmentHeader, segmentHeaderBytes, segmentPath, segmentsFolder } from './segment.ts';

/** A chunk that waits to be written. */
export interface NewRecord {
  readonly id: Bytes;
  readonly body: Bytes;
  readonly bodyCrc: number;
}

/** Where the log ends. Segment 0 means that there is none yet. */
export interface LogEnd {
  readonly segment: number;
  readonly offset: number;
  /** Whether the next record may follow there; else it begins a new segment. */
  readonly appendable: boolean;
}

/** Records that stand in the log, and are durable once `SegmentWriter.sync` of them has resolved. */
export interface Written {
  /** Of each record, in order. */
  readonly locations: readonly Location[];
  /** By how much the log has grown. */
  readonly bytes: number;
  readonly before: LogEnd;
  readonly end: LogEnd;
  readonly file: DiskFile;
}

/**
 * Appends records to the newest segment of a volume. One call of each method at a time; the next records may be
 * written while those before are synced, unless they begin a new segment.
 */
export class SegmentWriter {
  readonly #disk: Disk;
  readonly #volume: Bytes;
  readonly #segmentBytes: number;
  #end: LogEnd;
  /** The segment at the end, once it is open. */
  #file: DiskFile | undefined;

  /** A segment that has reached `segmentBytes` takes no more. */
  constructor(disk: Disk, volume: Bytes, end: LogEnd, segmentBytes: number) {
    assert(segmentBytes <= segmentBytesMax, 'segments keep to their format');
    this.#disk = disk;
    this.#volume = volume;
    this.#segmentBytes = segmentBytes;
    this.#end = end;
  }

  /** Bytes of records that the segment in use still takes. */
  get roomBytes(): number {
    return this.#end.appendable ? Math.max(0, this.#segmentBytes - this.#end.offset) : 0;
  }

  /**
   * Writes the records end to end, into the segment in use where all fit, else into a new one. After a failure nothing
   * of them is left to be found, unless the disk refuses that too. Errors: `DiskErrorCode`.
   */
  async write(records: readonly NewRecord[]): Promise<Written> {
    const bytes = recordsBytes(records);
    return bytes <= this.roomBytes ? this.#extend(records, bytes) : this.#begin(records, bytes);
  }

  /** Makes the records, and the name of their segment, durable. Errors: `DiskErrorCode`; then `undo` them. */
  async sync({ file, before, end }: Written): Promise<void> {
    await file.sync();
    if (end.segment !== before.segment) await this.#disk.syncDirectory(segmentsFolder);
  }

  /** Takes records, and all that were written after them, out of the log again, unless the disk refuses. */
  async undo({ file, before, end }: Written): Promise<void> {
    // When cutting fails too, recovery cuts: nothing of it was acknowledged.
    if (end.segment === before.segment) await file.truncate(before.offset).catch(() => {});
    else {
      this.#file = undefined;
      await this.#discard(file, end.segment);
    }
    this.#end = before;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #extend(records: readonly NewRecord[], bytes: number): Promise<Written> {
    const before = this.#end;
    const { segment, offset } = before;
    const file = this.#file ?? (await this.#disk.open(segmentPath(segment), 'write'));
    this.#file = file;
    const parts: Bytes[] = [];
    const locations = layOut(records, segment, offset, parts);
    try {
      await file.write(parts, offset);
    } catch (error) {
      await file.truncate(offset).catch(() => {});
      throw error;
    }
    this.#end = { segment, offset: offset + bytes, appendable: true };
    return { locations, bytes, before, end: this.#end, file };
  }

  /** As `#extend`, in a new segment: its header goes with the first records. */
  async #begin(records: readonly NewRecord[], bytes: number): Promise<Written> {
    const before = this.#end;
    const segment = before.segment + 1;
    const file = await this.#disk.open(segmentPath(segment), 'exclusive');
    const parts: Bytes[] = [encodeSegmentHeader(this.#volume, segment)];
    const locations = layOut(records, segment, segmentHeaderBytes, parts);
    try {
      await file.write(parts, 0);
      await this.close();
    } catch (error) {
      await this.#discard(file, segment);
      throw error;
    }
    this.#file = file;
    const grown = segmentHeaderBytes + bytes;
    this.#end = { segment, offset: grown, appendable: true };
    return { locations, bytes: grown, before, end: this.#end, file };
  }

  /** Not waited for: whoever put the records is to hear of their failure while there is time to put them elsewhere. */
  async #discard(file: DiskFile, segment: number): Promise<void> {
    void file.close().catch(() => {});
    await this.#disk.remove(segmentPath(segment)).catch(() => {});
  }
}

/** Adds the parts of `records` to `parts`, the first at `start` of the segment; bodies are not copied. */
function layOut(
  records: readonly NewRecord[],
  segment: number,
  start: number,
  parts: Bytes[],
): readonly Location[] {
  // The zeros that pad a body stand before the next header, so that two parts a record are enough.
  const slotBytes = recordAlignmentSlack + recordHeaderBytes;
  const slots = new Uint8Array(records.length * slotBytes);
  const locations: Location[] = [];
  let offset = start;
  let padding = 0;
  records.forEach(({ id, body, bodyCrc }, index) => {
    const at = index * slotBytes + recordAlignmentSlack;
    const header = { kind: recordKinds.chunk, bodyBytes: body.length, bodyCrc, id };
    encodeRecordHeader(header, segment, slots, at);
    parts.push(slots.subarray(at - padding, at + recordHeaderBytes), body);
    locations.push({ segment, offset, bodyBytes: body.length });
    offset += recordBytes(body.length);
    padding = paddingBytes(body.length);
  });
  if (padding > 0) parts.push(new Uint8Array(padding));
  return locations;
}

/** Room for the padding of the record before, in front of each header. */
const recordAlignmentSlack = 8;
