import type { Bytes } from '../base/bytes.ts';
import { indexCommitEntries } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Disk } from '../ports/disk.ts';
import type { KeyValueStore } from '../ports/key-value-store.ts';
import { ChunkIndex, eraseAll, type IndexPosition } from './chunk-index.ts';
import { recordKinds } from './record.ts';
import {
  checkSegmentHeader,
  segmentHeaderBytes,
  segmentNumbers,
  segmentPath,
  segmentsFolder,
} from './segment.ts';
import { type Damage, scanSegment } from './segment-scan.ts';
import type { LogEnd } from './segment-writer.ts';

/** A volume as recovery leaves it: every good record is in the index, and the last segment ends after one. */
export interface RecoveredLog {
  readonly index: ChunkIndex;
  /** Where writing goes on. */
  readonly end: LogEnd;
  readonly usedBytes: number;
}

interface Context {
  readonly disk: Disk;
  readonly volume: Bytes;
  readonly index: ChunkIndex;
  readonly log: Log;
}

/**
 * Brings the index up to the log: scans the segments from the index's position on (all of them when the index is
 * new, or knows of more than there is), cuts the torn tail of the last one, and counts damage. What is in the index
 * afterwards is durable. Errors: `VOLUME_VERSION_UNKNOWN`, `DiskErrorCode`.
 */
export async function recoverLog(
  disk: Disk,
  volume: Bytes,
  store: KeyValueStore,
  log: Log,
): Promise<RecoveredLog> {
  const segments = segmentNumbers(await disk.list(segmentsFolder));
  let { index, position } = await ChunkIndex.open(store, volume);
  if (position !== undefined && !(await reaches(disk, segments, position))) {
    log.warn('index knows of more than the segments hold and is rebuilt', { segment: position.segment });
    await eraseAll(store);
    ({ index, position } = await ChunkIndex.open(store, volume));
  }
  const context = { disk, volume, index, log };
  let end: LogEnd = { segment: 0, offset: 0, appendable: false };
  let usedBytes = position?.usedBytes ?? 0;
  for (const segment of segments) {
    if (position !== undefined && segment < position.segment) continue;
    const from = segment === position?.segment ? position.offset : 0;
    const isLast = segment === segments.at(-1);
    const found = await recoverSegment(context, segment, from, isLast);
    if (found === undefined) continue;
    end = found;
    usedBytes += Math.max(0, end.offset - from);
    if (!isLast && index.freshCount >= indexCommitEntries) await index.commit(segment, end.offset, usedBytes);
  }
  // A program that was killed leaves names and bytes that it had not synced: seen, but not durable.
  await disk.syncDirectory(segmentsFolder);
  if (index.freshCount > 0) await index.commit(end.segment, end.offset, usedBytes);
  return { index, end, usedBytes };
}

/** Whether the log still has what the index has reached. */
async function reaches(disk: Disk, segments: readonly number[], position: IndexPosition): Promise<boolean> {
  if (position.segment === 0) return true;
  if (!segments.includes(position.segment)) return false;
  const file = await disk.open(segmentPath(position.segment), 'read');
  try {
    return (await file.sizeBytes()) >= position.offset;
  } finally {
    await file.close();
  }
}

/**
 * Indexes one segment from `from` (0: from its header) and says where it ends; undefined when it was no more than a
 * name and is removed. Only the last segment can have been torn, and only it may be appended to: a segment is begun
 * after the one before it was synced.
 */
async function recoverSegment(
  context: Context,
  segment: number,
  from: number,
  isLast: boolean,
): Promise<LogEnd | undefined> {
  const { disk, volume, index, log } = context;
  const file = await disk.open(segmentPath(segment), isLast ? 'write' : 'read');
  try {
    const sizeBytes = await file.sizeBytes();
    const header = new Uint8Array(segmentHeaderBytes);
    const headerBytes = await file.read(header, 0);
    const state = checkSegmentHeader(header.subarray(0, headerBytes), volume, segment);
    const closed = { segment, offset: sizeBytes, appendable: false };
    if (state === 'other') {
      log.warn('segment of another volume is left alone', { segment });
      index.addGap(segment, 0);
      return closed;
    }
    const start = Math.max(from, segmentHeaderBytes);
    const { endOffset, damages, tailDamages } = await scanSegment(file, segment, start, (record) => {
      const location = { segment, offset: record.offset, bodyBytes: record.bodyBytes };
      if (record.kind === recordKinds.deleted) index.remove(record.id);
      else index.add(record.id, location);
    });
    report(context, segment, damages);
    if (state === 'own' && isLast) {
      if (sizeBytes > endOffset) {
        log.info('torn tail of the last segment is cut', { segment, offset: endOffset });
        await file.truncate(endOffset);
      }
      await file.sync();
      return { segment, offset: endOffset, appendable: true };
    }
    if (!isLast || endOffset > segmentHeaderBytes) {
      report(context, segment, tailDamages);
      if (state === 'invalid') index.addGap(segment, 0);
      return closed;
    }
  } finally {
    await file.close();
  }
  log.info('segment without a header is removed', { segment });
  await disk.remove(segmentPath(segment));
  await disk.syncDirectory(segmentsFolder);
  return undefined;
}

function report({ index, log }: Context, segment: number, damages: readonly Damage[]): void {
  for (const { id, offset, bodyBytes } of damages) {
    log.error('segment record is damaged', { code: 'SEGMENT_RECORD_CORRUPT', segment, offset });
    if (id === undefined) index.addGap(segment, offset);
    else index.quarantine(id, { segment, offset, bodyBytes });
  }
}
