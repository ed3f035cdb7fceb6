import { crc32 } from 'node:zlib';
import { type Bytes, viewOf } from '../../base/bytes.ts';
import { logRecordBytesMax } from '../../base/limits.ts';

/**
 * How a record lies in a log file (formats.md §9):
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | magic `AEl1` |
 * | 4 | 4 | body length |
 * | 8 | 8 | length that the file had when it was last synced before this record was written |
 * | 16 | 4 | CRC-32 of the 16 bytes before and the body |
 * | 20 | n | body |
 */
export const frameHeaderBytes = 20;
const magic = 0x41456c31;

export interface LogFrame {
  readonly body: Bytes;
  /** Everything before this offset was durable when the frame was written. */
  readonly syncedBytes: number;
  readonly frameBytes: number;
}

export function frameHeader(body: Bytes, syncedBytes: number): Bytes {
  const header = new Uint8Array(frameHeaderBytes);
  const view = viewOf(header);
  view.setUint32(0, magic);
  view.setUint32(4, body.length);
  view.setBigUint64(8, BigInt(syncedBytes));
  view.setUint32(16, crc32(body, crc32(header.subarray(0, 16))));
  return header;
}

/**
 * The frame at `offset`; `short` when `bytes` end before the frame does, `bad` when none begins there. Its body is
 * a view into `bytes`.
 */
export function parseFrame(bytes: Bytes, offset: number): LogFrame | 'short' | 'bad' {
  if (bytes.length - offset < frameHeaderBytes) return 'short';
  const view = viewOf(bytes);
  if (view.getUint32(offset) !== magic) return 'bad';
  const bodyBytes = view.getUint32(offset + 4);
  if (bodyBytes > logRecordBytesMax) return 'bad';
  const end = offset + frameHeaderBytes + bodyBytes;
  if (end > bytes.length) return 'short';
  const body = bytes.subarray(offset + frameHeaderBytes, end);
  const crc = crc32(body, crc32(bytes.subarray(offset, offset + 16)));
  if (view.getUint32(offset + 16) !== crc) return 'bad';
  return { body, syncedBytes: Number(view.getBigUint64(offset + 8)), frameBytes: end - offset };
}

/** The offset of the next magic at or after `from`, or −1. */
export function findMagic(bytes: Bytes, from: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('AEl1', from, 'latin1');
}
