import { type Bytes, equalBytes } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { type AetherError, hasCode } from '../base/errors.ts';
import { volumeLabelBytesMax } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import { storeError } from './errors.ts';
import { segmentNumbers, segmentsFolder } from './segment.ts';

/** `volume.cbor`, docs/formats.md §5: what a disk is, wherever it is attached. */
export interface VolumeLabel {
  readonly volume: Bytes;
  readonly pool: Bytes | undefined;
  readonly createdMs: number;
}

export const volumeLabelPath = 'volume.cbor';
const nextLabelPath = 'volume.cbor.next';
const version = 1;
const volumeIdBytes = 16;
const poolIdBytes = 16;

/**
 * Reads the label of a disk, makes one on an empty disk, and writes the pool into one that has none yet; it and the
 * folders are durable then. Where the volume `knownId` is expected, nothing else will do, and nothing is made: an empty
 * mount point is a disk that is not attached. Errors: `VOLUME_MISSING`, `VOLUME_FOREIGN`, `VOLUME_VERSION_UNKNOWN`, `VOLUME_LABEL_CORRUPT`,
 * `DiskErrorCode`.
 */
export async function claimVolume(
  disk: Disk,
  { pool, knownId }: { readonly pool: Bytes | undefined; readonly knownId?: Bytes | undefined },
  { clock, entropy }: { clock: Clock; entropy: Entropy },
): Promise<VolumeLabel> {
  // A root that is missing is a disk that is not attached: made anew, it would fill the disk below its mount point.
  const names = await disk.list('');
  const found = await readLabel(disk);
  if (
    found === undefined &&
    names.includes(segmentsFolder) &&
    segmentNumbers(await disk.list(segmentsFolder)).length > 0
  )
    throw storeError('VOLUME_LABEL_CORRUPT', 'it has segments of chunks, but volume.cbor is gone');
  if (knownId !== undefined && (found === undefined || !equalBytes(found.volume, knownId))) throw missing();
  await disk.makeDirectory(segmentsFolder);
  if (found?.pool !== undefined && (pool === undefined || !equalBytes(found.pool, pool))) {
    throw foreign();
  }
  if (found !== undefined && (found.pool !== undefined || pool === undefined)) {
    // The names may be there only because the power was not cut since they were made.
    await disk.syncDirectory('');
    return found;
  }
  const label: VolumeLabel = {
    volume: found?.volume ?? entropy.bytes(volumeIdBytes),
    pool,
    createdMs: found?.createdMs ?? clock.wallMs(),
  };
  try {
    await writeLabel(disk, label);
  } catch (error) {
    // What is on a full disk must be readable: the pool is written into its label at a later start.
    if (found === undefined || !hasCode(error, 'DISK_FULL')) throw error;
    return found;
  }
  return label;
}

/** Writes the pool into the label of a volume in use; durable on return. Errors: as {@link claimVolume}. */
export async function enterPool(disk: Disk, pool: Bytes): Promise<void> {
  const label = await readLabel(disk);
  if (label === undefined) throw storeError('VOLUME_LABEL_CORRUPT', 'the label of the volume is gone');
  if (label.pool === undefined) await writeLabel(disk, { ...label, pool });
  else if (!equalBytes(label.pool, pool)) throw foreign();
}

function missing(): AetherError {
  return storeError('VOLUME_MISSING', 'the disk of this volume is not attached');
}

function foreign(): AetherError {
  return storeError('VOLUME_FOREIGN', 'the volume belongs to another pool');
}

async function readLabel(disk: Disk): Promise<VolumeLabel | undefined> {
  const bytes = await readSmallFile(disk);
  if (bytes === undefined) return undefined;
  try {
    const fields = CborFields.decode(bytes);
    if (fields.count('v') !== version) {
      throw storeError('VOLUME_VERSION_UNKNOWN', 'the volume has a version that is not known', {
        fields: { version: fields.count('v') },
      });
    }
    return {
      volume: fields.bytes('volume', volumeIdBytes),
      pool: fields.has('pool') ? fields.bytes('pool', poolIdBytes) : undefined,
      createdMs: fields.count('created'),
    };
  } catch (cause) {
    if (!hasCode(cause, 'CBOR_INVALID')) throw cause;
    throw storeError('VOLUME_LABEL_CORRUPT', 'volume.cbor is damaged', { cause });
  }
}

async function readSmallFile(disk: Disk): Promise<Bytes | undefined> {
  try {
    const file = await disk.open(volumeLabelPath, 'read');
    try {
      const bytes = new Uint8Array(volumeLabelBytesMax);
      return bytes.subarray(0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'DISK_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Replaces: beside, synced, renamed, folder synced (docs/formats.md §1.4). */
async function writeLabel(disk: Disk, { volume, pool, createdMs }: VolumeLabel): Promise<void> {
  const file = await disk.open(nextLabelPath, 'create');
  try {
    await file.truncate(0);
    await file.write([encodeCbor({ v: version, volume, pool: pool ?? null, created: createdMs })], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(nextLabelPath, volumeLabelPath);
  await disk.syncDirectory('');
}
