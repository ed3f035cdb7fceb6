import type { Bytes } from '../../base/bytes.ts';
import { logRecordBytesMax } from '../../base/limits.ts';
import type { DiskFile } from '../../ports/disk.ts';
import { findMagic, frameHeaderBytes, parseFrame } from './log-frame.ts';

/** Read at once: a whole record always fits. */
const windowBytes = 4 * (logRecordBytesMax + frameHeaderBytes);

export interface LogScan {
  /** Offset of each good record before the first bad one. */
  readonly offsets: readonly number[];
  /** End of the last of them. */
  readonly endBytes: number;
  readonly lastBody: Bytes | undefined;
  /**
   * `whole`: nothing follows. `torn`: what follows was never acknowledged and may be cut off. `damaged`: records
   * that were durable are lost.
   */
  readonly state: 'whole' | 'torn' | 'damaged';
}

/** Reads a log file from its beginning, and tells a torn tail from damage. Errors: `DiskErrorCode`. */
export async function scanLog(file: DiskFile): Promise<LogScan> {
  const sizeBytes = await file.sizeBytes();
  const offsets: number[] = [];
  let lastBody: Bytes | undefined;
  let position = 0;
  for await (const window of windows(file, sizeBytes)) {
    let offset = position - window.position;
    for (;;) {
      const frame = parseFrame(window.bytes, offset);
      if (frame === 'short' && !window.last) break;
      if (frame === 'short' || frame === 'bad') {
        const endBytes = window.position + offset;
        if (endBytes === sizeBytes) return { offsets, endBytes, lastBody, state: 'whole' };
        const damaged = await isDamage(file, endBytes, sizeBytes);
        return { offsets, endBytes, lastBody, state: damaged ? 'damaged' : 'torn' };
      }
      offsets.push(window.position + offset);
      lastBody = frame.body;
      offset += frame.frameBytes;
      position = window.position + offset;
    }
    // The next window is read over this one.
    lastBody = lastBody && new Uint8Array(lastBody);
    window.consumed(offset);
  }
  return { offsets, endBytes: position, lastBody, state: 'whole' };
}

/** Bodies of all good records at or after `from`, whatever lies between them. */
export async function* salvage(file: DiskFile, from: number): AsyncGenerator<Bytes> {
  for await (const { body } of framesAfter(file, from, await file.sizeBytes())) yield body;
}

/**
 * A bad record is damage when a later record says that it had been synced; when no later one does, all that
 * follows was in the batch that the power cut tore.
 */
async function isDamage(file: DiskFile, badAt: number, sizeBytes: number): Promise<boolean> {
  for await (const { syncedBytes } of framesAfter(file, badAt, sizeBytes))
    if (syncedBytes > badAt) return true;
  return false;
}

async function* framesAfter(
  file: DiskFile,
  from: number,
  sizeBytes: number,
): AsyncGenerator<{ body: Bytes; syncedBytes: number }> {
  for await (const window of windows(file, sizeBytes, from)) {
    let offset = 0;
    for (;;) {
      const found = findMagic(window.bytes, offset);
      if (found < 0) {
        // A magic may lie across the border of two windows.
        offset = Math.max(offset, window.bytes.length - 3);
        break;
      }
      const frame = parseFrame(window.bytes, found);
      offset = found;
      if (frame === 'short' && !window.last) break;
      if (frame === 'short' || frame === 'bad') offset = found + 1;
      else {
        offset = found + frame.frameBytes;
        yield frame;
      }
    }
    window.consumed(offset);
  }
}

interface Window {
  readonly position: number;
  readonly bytes: Bytes;
  readonly last: boolean;
  /** The next window begins this far into this one. */
  consumed(bytes: number): void;
}

async function* windows(file: DiskFile, sizeBytes: number, from = 0): AsyncGenerator<Window> {
  const memory = new Uint8Array(Math.min(windowBytes, Math.max(1, sizeBytes - from)));
  let position = from;
  while (position < sizeBytes) {
    const count = await file.read(memory, position);
    const last = count === 0 || position + count >= sizeBytes;
    let advance = count;
    const start = position;
    yield {
      position: start,
      bytes: memory.subarray(0, count),
      last,
      consumed: (bytes) => {
        advance = bytes;
      },
    };
    if (last) return;
    position = start + advance;
  }
}
