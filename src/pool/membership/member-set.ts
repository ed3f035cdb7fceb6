import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { type Bytes, compareBytes, concat, equalBytes, toHex } from '../../base/bytes.ts';
import { memberAdmissionsMax, memberRecordsWaitingMax, membersMax } from '../../base/limits.ts';
import { poolIdOf } from '../authority.ts';
import { memberIdOf } from '../p256.ts';
import {
  type Admission,
  type CapacityDeclaration,
  isSignedBy,
  type MemberRecord,
  type MemberRecordErrorCode,
  type MemberRole,
  parseRecord,
} from './record.ts';

export type MemberRefusalCode =
  | MemberRecordErrorCode
  | 'MEMBER_FOREIGN_POOL'
  | 'MEMBER_SIGNATURE_INVALID'
  /** Neither the authority nor a member, and as many records as may wait are waiting. */
  | 'MEMBER_ISSUER_UNKNOWN'
  /** The pool has as many members, or admissions, as it may have. */
  | 'MEMBER_LIMIT';

export interface Member {
  readonly memberId: Bytes;
  readonly publicKey: Bytes;
  readonly role: MemberRole;
  readonly name: string;
  /** When it was admitted, milliseconds since 1970 by the issuer's clock. */
  readonly at: number;
  readonly issuer: Bytes;
  /** What the box declared, in units of 1 GiB, quantised; 0 before it did, and for desktops. */
  readonly capacityUnits: number;
  /** When it declared that, by its own clock; undefined before it did. */
  readonly capacityAt?: number | undefined;
}

export interface MemberRefusal {
  readonly code: MemberRefusalCode;
  /** Whom the record is about, where it could be read. */
  readonly memberId?: Bytes;
}

export interface AddResult {
  /** Members that were not members before. */
  readonly added: readonly Member[];
  readonly refused: readonly MemberRefusal[];
  /** Whether anything at all (a member, a name, a capacity) is different now. */
  readonly changed: boolean;
}

/**
 * The enrolled members of one pool: a grow-only set of signed records (docs/formats.md §7), pure. A record counts
 * when its issuer is the authority or a member, so that each member's chain of admissions ends at the authority.
 *
 * The set depends on which records came, not on their order or number: of one issuer's admissions of one member, and
 * of one member's declarations, the newest stays. A record whose issuer is not known yet waits. Only past a bound
 * (members, admissions, records waiting) does the first to come win.
 */
export class MemberSet {
  readonly #pool: Bytes;
  readonly #authorityId: Bytes;
  readonly #authorityPublicKey: Bytes;
  /** By member, then by issuer. */
  readonly #admissions = new Map<string, Map<string, Admission>>();
  readonly #capacities = new Map<string, CapacityDeclaration>();
  /** By issuer, then by the record's own bytes. */
  readonly #waiting = new Map<string, Map<string, MemberRecord>>();
  #waitingCount = 0;
  #admissionCount = 0;
  #members: ReadonlyMap<string, Member> | undefined;
  #digest: Bytes | undefined;

  constructor(pool: Bytes, authorityPublicKey: Bytes) {
    assert(equalBytes(pool, poolIdOf(authorityPublicKey)), 'a pool is named after its authority');
    this.#pool = pool;
    this.#authorityPublicKey = authorityPublicKey;
    this.#authorityId = memberIdOf(authorityPublicKey);
  }

  /** Takes in records from anywhere; each is admitted, waits, or is refused by code. */
  add(records: readonly Bytes[]): AddResult {
    const before = this.#table();
    const refused: MemberRefusal[] = [];
    let changed = false;
    const ready: MemberRecord[] = [];
    for (const encoded of records) {
      const record = parseRecord(encoded);
      if (typeof record === 'string') refused.push({ code: record });
      else if (!equalBytes(record.pool, this.#pool)) refused.push(refusal('MEMBER_FOREIGN_POOL', record));
      else if (this.#issuerKey(record) === undefined) this.#wait(record);
      else ready.push(record);
      // Each admission may free others that waited for it.
      for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
        const outcome = this.#admit(next);
        if (typeof outcome === 'string') refused.push(refusal(outcome, next));
        else if (outcome) {
          changed = true;
          ready.push(...this.#released(next));
        }
      }
    }
    refused.push(...this.#trimWaiting());
    if (changed) {
      this.#members = undefined;
      this.#digest = undefined;
    }
    const added = [...this.#table()].flatMap(([id, member]) => (before.has(id) ? [] : [member]));
    return { added, refused, changed };
  }

  get(memberId: Bytes): Member | undefined {
    return this.#table().get(toHex(memberId));
  }

  /** All members, by member id. */
  members(): readonly Member[] {
    return [...this.#table().values()];
  }

  boxes(): readonly Member[] {
    return this.members().filter(({ role }) => role === 'box');
  }

  /** Everything that counts, for exchange and storage, in an order that the set alone decides. */
  records(): readonly Bytes[] {
    const admissions = [...this.#admissions.values()].flatMap((byIssuer) => [...byIssuer.values()]);
    return [...admissions, ...this.#capacities.values()].map(({ encoded }) => encoded).sort(compareBytes);
  }

  /** SHA-256 of all records end to end: two sets with one digest are the same. */
  digest(): Bytes {
    this.#digest ??= new Uint8Array(hash('sha256', concat(this.records()), 'buffer'));
    return this.#digest;
  }

  /** True when it changed something, false when it was known or is older; else why not. */
  #admit(record: MemberRecord): boolean | MemberRefusalCode {
    const known = this.#standing(record);
    // Known records come again and again: they are told by their bytes, without the cost of a signature.
    if (known !== undefined && compareRecords(known, record) >= 0) return false;
    const issuerKey = this.#issuerKey(record);
    if (issuerKey === undefined || !isSignedBy(record, issuerKey)) return 'MEMBER_SIGNATURE_INVALID';
    const member = toHex(record.member);
    if (record.kind === 'capacity') {
      this.#capacities.set(member, record);
      return true;
    }
    const byIssuer = this.#admissions.get(member);
    if (byIssuer === undefined && this.#admissions.size >= membersMax) return 'MEMBER_LIMIT';
    if (known === undefined) {
      if (this.#admissionCount >= memberAdmissionsMax) return 'MEMBER_LIMIT';
      this.#admissionCount++;
    }
    if (byIssuer === undefined) this.#admissions.set(member, new Map([[toHex(record.issuer), record]]));
    else byIssuer.set(toHex(record.issuer), record);
    return true;
  }

  /** What stands where the record would stand. */
  #standing(record: MemberRecord): MemberRecord | undefined {
    if (record.kind === 'capacity') return this.#capacities.get(toHex(record.member));
    return this.#admissions.get(toHex(record.member))?.get(toHex(record.issuer));
  }

  #issuerKey({ issuer }: MemberRecord): Bytes | undefined {
    if (equalBytes(issuer, this.#authorityId)) return this.#authorityPublicKey;
    const admissions = this.#admissions.get(toHex(issuer));
    // A key is what its member id says, so any admission of it has it.
    return admissions?.values().next().value?.publicKey;
  }

  #wait(record: MemberRecord): void {
    const issuer = toHex(record.issuer);
    const waiting = this.#waiting.get(issuer) ?? new Map<string, MemberRecord>();
    this.#waiting.set(issuer, waiting);
    const key = toHex(record.encoded);
    if (waiting.has(key)) return;
    waiting.set(key, record);
    this.#waitingCount++;
  }

  /** Records that waited for the admission of this one's member. */
  #released(record: MemberRecord): readonly MemberRecord[] {
    const member = toHex(record.member);
    const waiting = this.#waiting.get(member);
    if (waiting === undefined) return [];
    this.#waiting.delete(member);
    this.#waitingCount -= waiting.size;
    return [...waiting.values()];
  }

  /** Refuses the newest of those that wait past the bound. */
  #trimWaiting(): readonly MemberRefusal[] {
    const refused: MemberRefusal[] = [];
    const excess = this.#waitingCount - memberRecordsWaitingMax;
    if (excess <= 0) return refused;
    for (const [issuer, records] of [...this.#waiting].reverse()) {
      for (const [key, record] of [...records].reverse()) {
        if (refused.length === excess) break;
        records.delete(key);
        refused.push(refusal('MEMBER_ISSUER_UNKNOWN', record));
      }
      if (records.size === 0) this.#waiting.delete(issuer);
    }
    this.#waitingCount -= refused.length;
    return refused;
  }

  #table(): ReadonlyMap<string, Member> {
    this.#members ??= new Map(
      [...this.#admissions]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([id, admissions]) => [id, memberOf([...admissions.values()], this.#capacities.get(id))]),
    );
    return this.#members;
  }
}

/** A member as its newest admission describes it. */
function memberOf(admissions: readonly Admission[], capacity: CapacityDeclaration | undefined): Member {
  const { member, publicKey, role, name, at, issuer } = admissions.reduce((newest, next) =>
    compareRecords(next, newest) > 0 ? next : newest,
  );
  const capacityUnits = role === 'box' ? (capacity?.units ?? 0) : 0;
  return { memberId: member, publicKey, role, name, at, issuer, capacityUnits, capacityAt: capacity?.at };
}

/**
 * Newer is greater; of equal times the bytes decide. The signature counts last: anybody can turn one valid ECDSA
 * signature into another.
 */
function compareRecords(a: MemberRecord, b: MemberRecord): number {
  return a.at - b.at || compareBytes(a.signed, b.signed) || compareBytes(a.signature, b.signature);
}

function refusal(code: MemberRefusalCode, record: MemberRecord): MemberRefusal {
  return { code, memberId: record.member };
}
