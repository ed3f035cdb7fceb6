import { type Bytes, concat } from '../../base/bytes.ts';
import { encodeCbor } from '../../base/cbor.ts';
import { describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { readNumberHint, replaceFile } from '../../ports/replace-file.ts';
import { sessionBytes, writeUint48 } from './group-message.ts';

/** Where the number of the last session lives: CBOR `{v: 1, session}`. */
export const groupSessionPath = 'group.cbor';

const numberBytes = 6;
const numberMax = 2 ** (8 * numberBytes) - 1;

export interface GroupSessionPorts {
  /** The state folder. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * A new session of this box: 48 bits that grow from start to start, then 80 random ones. The number is the wall clock
 * in milliseconds, or one more than last time's where that is later: a box without a clock of its own is believed
 * after a restart all the same, and so is one whose disk takes no writes while its clock goes on. Should both fail,
 * it is not heard until its clock has caught up. No key comes twice in any case: that is the random bits' part.
 */
export async function nextGroupSession({ disk, clock, entropy, log }: GroupSessionPorts): Promise<Bytes> {
  const last = await readNumberHint(disk, { path: groupSessionPath, name: 'session' }, log);
  const number = Math.min(Math.max(Math.floor(clock.wallMs()), last + 1, 0), numberMax);
  try {
    await replaceFile(disk, groupSessionPath, encodeCbor({ v: 1, session: number }));
  } catch (error) {
    log.warn('the number of a group session cannot be kept', { reason: describeError(error) });
  }
  const counted = new Uint8Array(numberBytes);
  writeUint48(counted, 0, number);
  return concat([counted, entropy.bytes(sessionBytes - numberBytes)]);
}
