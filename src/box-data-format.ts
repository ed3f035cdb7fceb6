import { CborFields, encodeCbor } from './base/cbor.ts';
import { AetherError } from './base/errors.ts';
import { stateFileBytesMax } from './base/limits.ts';
import type { Log } from './base/log.ts';
import { dataFormat } from './base/version.ts';
import type { Disk } from './ports/disk.ts';
import { readFile, replaceFile } from './ports/replace-file.ts';

const path = 'format.cbor';

/**
 * To be called before anything of a box's state is read: whether this program can read what wrote it, as the newest
 * format that was written there says (docs/formats.md §1). An update that is refused for it is refused earlier; this
 * is for a boot loader that comes back to an old system. `readable`: the newest that this program reads. Errors:
 * `DATA_FORMAT_NEWER`, those of the disk.
 */
export async function requireDataFormat(stateDisk: Disk, log: Log, readable = dataFormat): Promise<void> {
  const written = await writtenFormat(stateDisk, log);
  if (written === undefined) return replaceFile(stateDisk, path, encodeCbor({ v: 1, dataFormat: readable }));
  if (written <= readable) return;
  throw new AetherError('DATA_FORMAT_NEWER', 'a newer version of the program wrote what this box keeps', {
    fields: { written, readable },
    help: 'Nothing is lost. Install a version as new as the one that ran before.',
  });
}

/** Undefined: no box has begun here, or nobody knows; then each file says for itself what it is. */
async function writtenFormat(stateDisk: Disk, log: Log): Promise<number | undefined> {
  const bytes = await readFile(stateDisk, path, stateFileBytesMax);
  if (bytes === undefined) return undefined;
  try {
    return CborFields.decode(bytes).count('dataFormat');
  } catch (error) {
    if (!(error instanceof AetherError)) throw error;
    log.warn('the format of what is kept is not known any more');
    return undefined;
  }
}
