import { AetherError, type AetherErrorOptions, hasCode } from '../base/errors.ts';

export type StoreErrorCode =
  | 'CHUNK_NOT_FOUND'
  /** The stored record does not match its checksum; it is out of the index from now on. */
  | 'CHUNK_CORRUPT'
  /** The bytes given are not those that the id names. */
  | 'CHUNK_ID_MISMATCH'
  | 'CHUNK_TOO_LARGE'
  /** No volume has room. */
  | 'STORE_FULL'
  /** No volume works. */
  | 'STORE_NO_VOLUME'
  | 'STORE_CLOSED'
  /** The volume that was here is not: its disk is not attached, or another one is in its place. */
  | 'VOLUME_MISSING'
  /** No volume of this name, or none that can be emptied. */
  | 'VOLUME_UNKNOWN'
  /** What the volume holds has no room elsewhere. */
  | 'RETIRE_NO_ROOM'
  /** The volume belongs to another pool. */
  | 'VOLUME_FOREIGN'
  /** The same volume is attached twice. */
  | 'VOLUME_DUPLICATE'
  | 'VOLUME_VERSION_UNKNOWN'
  | 'VOLUME_LABEL_CORRUPT'
  /** Only logged and counted: a record in the middle of a segment is damaged. */
  | 'SEGMENT_RECORD_CORRUPT';

const help: Partial<Record<StoreErrorCode, string>> = {
  CHUNK_CORRUPT: 'Another box may hold a good copy; a disk on which this happens often should be replaced.',
  STORE_FULL: 'Attach another disk, or remove files that are no longer needed.',
  STORE_NO_VOLUME: 'Attach a disk that works.',
  VOLUME_MISSING: 'Attach its disk again; to go on without it for good, forget it.',
  RETIRE_NO_ROOM: 'Attach another disk, or add a box to the pool; then retire this one.',
  VOLUME_FOREIGN: 'Use it in a box of the pool it belongs to, or erase it.',
  VOLUME_DUPLICATE: 'Detach one of the two copies.',
  VOLUME_VERSION_UNKNOWN: 'A newer version of the program wrote it; update this box.',
  VOLUME_LABEL_CORRUPT: 'Restore volume.cbor of this disk, or erase the disk and let the pool copy it again.',
};

export function storeError(
  code: StoreErrorCode,
  message: string,
  options: AetherErrorOptions = {},
): AetherError<StoreErrorCode> {
  return new AetherError(code, message, { help: help[code] ?? '', ...options });
}

/** What an error that a volume was given up with says of it. */
export function stateOf(error: AetherError): 'failed' | 'missing' {
  return absences.some((code) => hasCode(error, code)) ? 'missing' : 'failed';
}

/** Codes that say that the disk is not there, rather than that it is broken. */
const absences = ['VOLUME_MISSING', 'DISK_GONE', 'DISK_NOT_FOUND'];
