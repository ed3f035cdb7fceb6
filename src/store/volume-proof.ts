import { AetherError, hasCode } from '../base/errors.ts';
import { proofChunks } from '../base/limits.ts';
import type { Volume } from './volume.ts';

/**
 * Whether of the first chunks of `volume` one can be read from its disk, and is what its id says; true where there is
 * none. Does not wait for those on their way: where many come, some always are.
 */
export async function volumeReadsWell(volume: Volume): Promise<boolean> {
  try {
    for (const ids of volume.idsNow(proofChunks)) {
      if (ids.length === 0) continue;
      const reads = await Promise.all(ids.map((id) => volume.reads(id)));
      return reads.includes(true);
    }
    return true;
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    // A disk that was pulled meanwhile is missing, not unreadable.
    return hasCode(error, 'VOLUME_MISSING');
  }
}
