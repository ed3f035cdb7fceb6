import type { Bytes } from '../../base/bytes.ts';
import { CborFields, type CborValue, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { type PoolSecrets, poolSecretsFromCbor, poolSecretsToCbor } from '../authority.ts';
import { pairingError } from './errors.ts';

/** What a desktop asks of a box once it has proved the code (docs/formats.md §8). */
export type EnrolmentRequest = ClaimRequest | LoginRequest;

/** Makes an unclaimed box a box of the pool. */
export interface ClaimRequest {
  readonly want: 'claim';
  readonly secrets: PoolSecrets;
  /** All records of the pool, among them the one that admits the box. */
  readonly records: readonly Bytes[];
}

/** Asks a claimed box to admit one more desktop. */
export interface LoginRequest {
  readonly want: 'login';
  /** Of the desktop; its member id is that of the connection. */
  readonly publicKey: Bytes;
  readonly name: string;
}

/** What the box answers. */
export interface EnrolmentAnswer {
  readonly secrets: PoolSecrets;
  /** All records that the box has, the desktop's own among them. */
  readonly records: readonly Bytes[];
}

export function encodeEnrolmentRequest(request: EnrolmentRequest): Bytes {
  if (request.want === 'login') return encodeCbor({ v: 1, ...request });
  return encodeCbor({ v: 1, want: 'claim', ...contents(request) });
}

/** Errors: `ENROLMENT_INVALID`. */
export function decodeEnrolmentRequest(message: Bytes): EnrolmentRequest {
  return decode(message, (fields) => {
    const want = fields.text('want');
    if (want === 'claim') return { want, ...contentsOf(fields) };
    if (want !== 'login') throw enrolmentInvalid('the wish is not known');
    return { want, publicKey: fields.bytes('publicKey'), name: fields.text('name') };
  });
}

export function encodeEnrolmentAnswer(answer: EnrolmentAnswer): Bytes {
  return encodeCbor({ v: 1, ok: true, ...contents(answer) });
}

/** Errors: `PAIRING_ANSWER_INVALID`. */
export function decodeEnrolmentAnswer(message: Bytes): EnrolmentAnswer {
  try {
    return decode(message, contentsOf);
  } catch (cause) {
    const help = 'Update the older of the two programs.';
    throw pairingError('PAIRING_ANSWER_INVALID', "the box's answer cannot be read", help, { cause });
  }
}

export function enrolmentInvalid(what: string, cause?: unknown) {
  const help = 'Update the older of the two programs, then pair again.';
  return pairingError('ENROLMENT_INVALID', `pairing: ${what}`, help, { cause });
}

function contents({ secrets, records }: EnrolmentAnswer): { readonly [key: string]: CborValue } {
  return { pool: secrets.pool, secrets: poolSecretsToCbor(secrets), records };
}

function contentsOf(fields: CborFields): EnrolmentAnswer {
  const records = fields.list('records').map((record) => {
    if (!(record instanceof Uint8Array)) throw enrolmentInvalid('a record is no byte string');
    return new Uint8Array(record);
  });
  return { secrets: poolSecretsFromCbor(fields.map('secrets')), records };
}

function decode<T>(message: Bytes, read: (fields: CborFields) => T): T {
  try {
    const fields = new CborFields(decodeCbor(message));
    if (fields.count('v') === 1) return read(fields);
  } catch (cause) {
    throw enrolmentInvalid('the message cannot be read', cause);
  }
  throw enrolmentInvalid('the message is of another version');
}
