import { assert } from '../base/assert.ts';
import type { Bytes } from '../base/bytes.ts';
import { segmentBytesMax } from '../base/limits.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import type { Location } from './chunk-index.ts';
import { encodeRecordHeader, paddingBytes, recordBytes, recordHeaderBytes, recordKinds } from './record.ts';
import { encodeSegmentHeader, segmentHeaderBytes, segmentPath, segmentsFolder } from './segment.ts';

/** A chunk that waits to be written. */
export interface NewRecord {
  readonly id: Bytes;
  readonly body: Bytes;
  readonly bodyCrc: number;
}

/** Where the log ends: everything before is synced. Segment 0 means that there is none yet. */
export interface LogEnd {
  readonly segment: number;
  readonly offset: number;
  /** Whether the next record may follow there; else it begins a new segment. */
  readonly appendable: boolean;
}

export interface Appended {
  /** Of each record, in order. */
  readonly locations: readonly Location[];
  /** By how much the log has grown. */
  readonly bytes: number;
  readonly end: LogEnd;
}

/** Appends records to the newest segment of a volume. One call at a time. */
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
   * Writes the records end to end and syncs once: they, and the name of their segment, are durable when it resolves.
   * They go into the segment in use where all fit, else into a new one. After a failure nothing of them is left to
   * be found, unless the disk refuses that too. Errors: `DiskErrorCode`.
   */
  async append(records: readonly NewRecord[]): Promise<Appended> {
    let bytes = 0;
    for (const { body } of records) bytes += recordBytes(body.length);
    return bytes <= this.roomBytes ? this.#extend(records, bytes) : this.#begin(records, bytes);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #extend(records: readonly NewRecord[], bytes: number): Promise<Appended> {
    const { segment, offset } = this.#end;
    const file = this.#file ?? (await this.#disk.open(segmentPath(segment), 'write'));
    this.#file = file;
    const parts: Bytes[] = [];
    const locations = layOut(records, segment, offset, parts);
    try {
      await file.write(parts, offset);
      await file.sync();
    } catch (error) {
      // When cutting fails too, recovery cuts: nothing of it was acknowledged.
      await file.truncate(offset).catch(() => {});
      throw error;
    }
    this.#end = { segment, offset: offset + bytes, appendable: true };
    return { locations, bytes, end: this.#end };
  }

  /** As `#extend`, in a new segment: its header goes with the first records, its name is synced after them. */
  async #begin(records: readonly NewRecord[], bytes: number): Promise<Appended> {
    const segment = this.#end.segment + 1;
    const file = await this.#disk.open(segmentPath(segment), 'exclusive');
    const parts: Bytes[] = [encodeSegmentHeader(this.#volume, segment)];
    const locations = layOut(records, segment, segmentHeaderBytes, parts);
    try {
      await file.write(parts, 0);
      await file.sync();
      await this.#disk.syncDirectory(segmentsFolder);
      await this.close();
    } catch (error) {
      await file.close().catch(() => {});
      await this.#disk.remove(segmentPath(segment)).catch(() => {});
      throw error;
    }
    this.#file = file;
    const grown = segmentHeaderBytes + bytes;
    this.#end = { segment, offset: grown, appendable: true };
    return { locations, bytes: grown, end: this.#end };
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
