import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { AetherError } from '../../base/errors.ts';
import { memberAdmissionsMax, memberRecordBytesMax, membersMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';
import { poolIdBytes } from '../authority.ts';
import { type AddResult, type Member, MemberSet } from './member-set.ts';

export type RosterErrorCode = 'ROSTER_CORRUPT' | 'ROSTER_VERSION_UNKNOWN';

export interface RosterOptions {
  /** The member's state folder. */
  readonly disk: Disk;
  readonly pool: Bytes;
  readonly authorityPublicKey: Bytes;
}

/** Where the records live: CBOR `{v: 1, pool, records: [record, …]}`. */
export const rosterPath = 'members.cbor';

const rosterBytesMax = (memberAdmissionsMax + membersMax) * (memberRecordBytesMax + 8) + 1024;

/** The pool's member set, kept in the state folder. It only grows; every change replaces the file. */
export class Roster {
  readonly #disk: Disk;
  readonly #pool: Bytes;
  readonly #log: Log;
  readonly #set: MemberSet;
  readonly #listeners = new Set<() => void>();
  /** Counts changes; a write covers all those counted when it began. */
  #changes = 0;
  #durableChanges = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor({ disk, pool, authorityPublicKey }: RosterOptions, log: Log) {
    this.#disk = disk;
    this.#pool = pool;
    this.#log = log;
    this.#set = new MemberSet(pool, authorityPublicKey);
  }

  /**
   * Reads what the state folder holds of this pool; records of another pool (left by a claim that was cut off) are
   * passed over. Errors: those of the disk, `ROSTER_CORRUPT`, `ROSTER_VERSION_UNKNOWN`.
   */
  static async open(options: RosterOptions, { log }: { readonly log: Log }): Promise<Roster> {
    const roster = new Roster(options, log);
    const stored = await readFile(options.disk, rosterPath, rosterBytesMax);
    if (stored === undefined) return roster;
    const { pool, records } = decodeRoster(stored);
    if (!equalBytes(pool, options.pool)) return roster;
    const { refused } = roster.#set.add(records);
    // Each record was verified before it was written.
    if (refused.length > 0) throw corrupt(`${refused.length} records: ${refused[0]!.code}`);
    return roster;
  }

  /**
   * Takes in records. On return everything that changed is durable, and listeners have been told. Rejects with the
   * disk's error; the members then count already, and the next call tries to write them again.
   */
  async add(records: readonly Bytes[]): Promise<AddResult> {
    const result = this.#set.add(records);
    if (result.refused.length > 0) {
      this.#log.warn('membership records refused', {
        count: result.refused.length,
        code: result.refused[0]!.code,
      });
    }
    if (result.changed) this.#changes++;
    await this.#persist(this.#changes);
    if (result.changed) for (const listener of this.#listeners) listener();
    return result;
  }

  get(memberId: Bytes): Member | undefined {
    return this.#set.get(memberId);
  }

  members(): readonly Member[] {
    return this.#set.members();
  }

  boxes(): readonly Member[] {
    return this.#set.boxes();
  }

  records(): readonly Bytes[] {
    return this.#set.records();
  }

  /** Tells this set from any other: SHA-256 of all records. */
  digest(): Bytes {
    return this.#set.digest();
  }

  /** Calls `listener` after each change, once it is durable; the function it returns ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when change number `change` is durable; callers that wait together share one write. */
  #persist(change: number): Promise<void> {
    const turn = this.#writing.then(async () => {
      if (this.#durableChanges >= change) return;
      const covered = this.#changes;
      await replaceFile(this.#disk, rosterPath, encodeRoster(this.#pool, this.#set.records()));
      this.#durableChanges = covered;
    });
    this.#writing = turn.catch(() => {});
    return turn;
  }
}

export function encodeRoster(pool: Bytes, records: readonly Bytes[]): Bytes {
  return encodeCbor({ v: 1, pool, records });
}

function decodeRoster(bytes: Bytes): { readonly pool: Bytes; readonly records: readonly Bytes[] } {
  let version: number;
  try {
    const fields = CborFields.decode(bytes);
    version = fields.count('v');
    if (version === 1) {
      const records = fields.list('records').filter((record) => record instanceof Uint8Array);
      return { pool: fields.bytes('pool', poolIdBytes), records };
    }
  } catch (cause) {
    throw corrupt('not well-formed', cause);
  }
  throw new AetherError<RosterErrorCode>('ROSTER_VERSION_UNKNOWN', 'the member list is of a later version', {
    fields: { version },
    help: 'Update this program.',
  });
}

function corrupt(what: string, cause?: unknown): AetherError<RosterErrorCode> {
  return new AetherError('ROSTER_CORRUPT', `the member list cannot be read: ${what}`, {
    help: `Put ${rosterPath} back from a copy, or copy it from another member of the pool.`,
    cause,
  });
}
