import { type Bytes, equalBytes, utf8 } from '../../base/bytes.ts';
import { CborFields, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { memberNameBytesMax, memberRecordBytesMax } from '../../base/limits.ts';
import { poolIdBytes } from '../authority.ts';
import { inDomain, isPublicKey, memberIdOf, type Signer, signatureBytes, verifySignature } from '../p256.ts';
import { quantiseUnits } from './capacity.ts';

export type MemberRole = 'box' | 'desktop';

export type MemberRecordErrorCode =
  | 'MEMBER_RECORD_INVALID'
  | 'MEMBER_VERSION_UNKNOWN'
  /** A kind of record that this version does not know, such as `revoke`. */
  | 'MEMBER_KIND_UNKNOWN';

/** One entry of the membership set, not yet verified (docs/formats.md §7). */
export type MemberRecord = Admission | CapacityDeclaration;

interface RecordParts {
  /** The record as it is exchanged and stored. */
  readonly encoded: Bytes;
  readonly signed: Bytes;
  readonly signature: Bytes;
  readonly pool: Bytes;
  /** Whom it is about. */
  readonly member: Bytes;
  /** Who signed it: the authority, a member, or for a capacity the member itself. */
  readonly issuer: Bytes;
  /** Milliseconds since 1970 by the issuer's clock. */
  readonly at: number;
}

export interface Admission extends RecordParts {
  readonly kind: 'admit';
  readonly publicKey: Bytes;
  readonly role: MemberRole;
  readonly name: string;
}

export interface CapacityDeclaration extends RecordParts {
  readonly kind: 'capacity';
  /** Units of 1 GiB, quantised. */
  readonly units: number;
}

const domain = utf8('aetherstore member v1');
const memberIdBytes = 32;

/** Control characters, line breaks, and what turns the direction of the text around it: sets that no longer grow. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

/** A record by which `signer` (the authority or a member) admits the owner of a key. `name` as {@link isMemberName}. */
export function admit(
  signer: Signer,
  subject: {
    readonly pool: Bytes;
    readonly publicKey: Bytes;
    readonly role: MemberRole;
    readonly name: string;
    readonly atMs: number;
  },
): Bytes {
  const { pool, publicKey, role, name, atMs } = subject;
  const member = memberIdOf(publicKey);
  const fields = { v: 1, kind: 'admit', pool, member, publicKey, role, name, at: atMs };
  return seal(signer, encodeCbor({ ...fields, issuer: signer.memberId }));
}

/** A record by which a box says how much it has: `units` of 1 GiB, quantised here. */
export function declareCapacity(
  identity: Signer,
  { pool, units, atMs }: { readonly pool: Bytes; readonly units: number; readonly atMs: number },
): Bytes {
  const fields = { v: 1, kind: 'capacity', pool, member: identity.memberId, units: quantiseUnits(units) };
  return seal(identity, encodeCbor({ ...fields, at: atMs }));
}

/**
 * What a record says of when it was made, so that it is newer than the one of `lastMs`: of two the newest counts, also when
 * the other was made while the clock was ahead. Milliseconds since 1970.
 */
export function timeAfter(lastMs: number | undefined, nowMs: number): number {
  return Math.max(nowMs, (lastMs ?? -1) + 1);
}

/** 1 to 63 bytes of text without control characters: names are shown on consoles, and announced. */
export function isMemberName(name: string): boolean {
  const sizeBytes = utf8(name).length;
  return sizeBytes >= 1 && sizeBytes <= memberNameBytesMax && !unprintable.test(name);
}

/** Reads a record's form; its signature and its issuer are judged by the set. Outcomes are values. */
export function parseRecord(encoded: Bytes): MemberRecord | MemberRecordErrorCode {
  if (encoded.length > memberRecordBytesMax) return 'MEMBER_RECORD_INVALID';
  try {
    const parts = decodeCbor(encoded);
    if (!Array.isArray(parts) || parts.length !== 2) return 'MEMBER_RECORD_INVALID';
    const [signed, signature] = parts;
    if (!(signed instanceof Uint8Array) || !(signature instanceof Uint8Array)) return 'MEMBER_RECORD_INVALID';
    if (signature.length !== signatureBytes) return 'MEMBER_RECORD_INVALID';
    const fields = CborFields.decode(signed);
    if (fields.count('v') !== 1) return 'MEMBER_VERSION_UNKNOWN';
    const common = {
      encoded: new Uint8Array(encoded),
      signed: new Uint8Array(signed),
      signature: new Uint8Array(signature),
      pool: fields.bytes('pool', poolIdBytes),
      member: fields.bytes('member', memberIdBytes),
      at: fields.count('at'),
    };
    const kind = fields.text('kind');
    if (kind === 'admit') return admissionOf(common, fields);
    if (kind === 'capacity') return capacityOf(common, fields);
    return 'MEMBER_KIND_UNKNOWN';
  } catch {
    return 'MEMBER_RECORD_INVALID';
  }
}

/** Whether the record was signed by the owner of `issuerPublicKey`. */
export function isSignedBy(record: MemberRecord, issuerPublicKey: Bytes): boolean {
  return verifySignature(issuerPublicKey, inDomain(domain, record.signed), record.signature);
}

type CommonParts = Omit<RecordParts, 'issuer'>;

function admissionOf(common: CommonParts, fields: CborFields): Admission | 'MEMBER_RECORD_INVALID' {
  const publicKey = fields.bytes('publicKey');
  const role = fields.text('role');
  const name = fields.text('name');
  if (!isPublicKey(publicKey) || !equalBytes(memberIdOf(publicKey), common.member)) {
    return 'MEMBER_RECORD_INVALID';
  }
  if (role !== 'box' && role !== 'desktop') return 'MEMBER_RECORD_INVALID';
  if (!isMemberName(name)) return 'MEMBER_RECORD_INVALID';
  return { ...common, kind: 'admit', issuer: fields.bytes('issuer', memberIdBytes), publicKey, role, name };
}

function capacityOf(common: CommonParts, fields: CborFields): CapacityDeclaration | 'MEMBER_RECORD_INVALID' {
  const units = fields.count('units');
  if (quantiseUnits(units) !== units) return 'MEMBER_RECORD_INVALID';
  return { ...common, kind: 'capacity', issuer: common.member, units };
}

function seal(signer: Signer, signed: Bytes): Bytes {
  return encodeCbor([signed, signer.sign(inDomain(domain, signed))]);
}
