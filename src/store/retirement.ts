import type { Bytes } from '../base/bytes.ts';
import { hasCode } from '../base/errors.ts';
import { retireBytesMax, retireChunksMax } from '../base/limits.ts';
import { storeError } from './errors.ts';
import { recordsBytes } from './record.ts';
import type { ChunkBody, Volume } from './volume.ts';

export interface RetirementPorts {
  /** Whether another volume of the box holds the chunk, on a disk that is there. */
  readonly holds: (id: Bytes) => Promise<boolean>;
  /** Writes to the box's other volumes. Errors: those of `ChunkStore.putMany`. */
  readonly put: (chunks: readonly ChunkBody[]) => Promise<void>;
  /** Sees to it that other boxes have copies enough. Errors: `RETIRE_NO_ROOM`. */
  readonly elsewhere: (chunks: readonly ChunkBody[]) => Promise<void>;
  /** So many more bytes have copies without this volume. */
  readonly progress: (bytes: number) => void;
}

/** Codes by which the box's other volumes say that they cannot take it. */
const noRoomCodes = ['STORE_FULL', 'STORE_NO_VOLUME'];

/**
 * Copies what only `volume` holds of this box to its other volumes, and when these are full sees to it that other boxes
 * hold enough. When it resolves the volume is not needed any more. A chunk that is damaged here counts as one that is not
 * here. Errors: `RETIRE_NO_ROOM`, `DiskErrorCode`; nothing was taken away then.
 */
export async function emptyVolume(volume: Volume, ports: RetirementPorts): Promise<void> {
  for await (const page of volume.chunkIds(retireChunksMax)) {
    let batch: ChunkBody[] = [];
    for (const id of page) {
      const body = await readWhole(volume, id);
      if (body === undefined) continue;
      if (await ports.holds(id)) ports.progress(recordsBytes([{ body }]));
      else batch.push({ id, body });
      if (recordsBytes(batch) < retireBytesMax) continue;
      await moveAway(batch, ports);
      batch = [];
    }
    if (batch.length > 0) await moveAway(batch, ports);
  }
}

async function moveAway(chunks: readonly ChunkBody[], ports: RetirementPorts): Promise<void> {
  try {
    await ports.put(chunks);
  } catch (error) {
    if (!noRoomCodes.some((code) => hasCode(error, code))) throw error;
    await ports.elsewhere(chunks);
  }
  ports.progress(recordsBytes(chunks));
}

async function readWhole(volume: Volume, id: Bytes): Promise<Bytes | undefined> {
  try {
    return await volume.get(id);
  } catch (error) {
    if (hasCode(error, 'CHUNK_CORRUPT')) return undefined;
    throw error;
  }
}

/** Without a pool there is no other box. */
export function nowhereElse(): Promise<never> {
  return Promise.reject(storeError('RETIRE_NO_ROOM', 'the other disks have no room for what this one holds'));
}
