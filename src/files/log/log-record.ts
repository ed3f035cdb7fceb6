import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import { type Bytes, concat, utf8, viewOf } from '../../base/bytes.ts';
import { CborFields, decodeCbor, encodeCbor } from '../../base/cbor.ts';
import { logRecordBytesMax } from '../../base/limits.ts';
import { filesError } from '../files-error.ts';
import { decodeTime, encodeTime, type HybridTime } from './hybrid-clock.ts';
import { decodeOperations, encodeOperations, type Operation } from './operations.ts';

/** One record of an author's log, as formats.md §9 has it. Decoding checks its form, not its signature. */
export interface LogRecord {
  readonly author: Bytes;
  readonly seq: number;
  readonly clock: HybridTime;
  readonly prev: Bytes;
  readonly epoch: number;
  readonly sealed: Bytes;
  /** What the signature covers, without its prefix. */
  readonly signed: Bytes;
  readonly signature: Bytes;
  /** The whole, as it is stored and shipped. */
  readonly body: Bytes;
}

export interface RecordFields {
  readonly author: Bytes;
  readonly seq: number;
  readonly prev: Bytes;
  readonly epoch: number;
  readonly operations: readonly Operation[];
}

/** `prev` of an author's first record. */
export const noRecord: Bytes = new Uint8Array(32);

const signaturePrefix = utf8('aetherstore log v1');
const nonceBytes = 12;
const tagBytes = 16;

/** Seals and signs. Errors: `COMMIT_TOO_LARGE` when the record would be longer than `logRecordBytesMax`. */
export function createRecord(
  fields: RecordFields,
  keys: { readonly metadataKey: Bytes; readonly nonce: Bytes },
  sign: (message: Bytes) => Bytes,
): LogRecord {
  const { author, seq, prev, epoch, operations } = fields;
  const clock = operations[operations.length - 1]!.clock;
  const sealed = seal(encodeOperations(operations), keys.metadataKey, keys.nonce, author, seq);
  if (sealed.length > logRecordBytesMax - 1024) {
    throw filesError('COMMIT_TOO_LARGE', 'the changes do not fit one log record', {
      fields: { bytes: sealed.length },
    });
  }
  const signed = encodeCbor({ v: 1, author, seq, clock: encodeTime(clock), prev, epoch, sealed });
  const signature = sign(signedMessage(signed));
  return {
    author,
    seq,
    clock,
    prev,
    epoch,
    sealed,
    signed,
    signature,
    body: encodeCbor([signed, signature]),
  };
}

/** Errors: `LOG_RECORD_INVALID`, `LOG_VERSION_UNKNOWN`. */
export function decodeRecord(body: Bytes): LogRecord {
  try {
    return decode(body);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'CBOR_INVALID') throw cause;
    throw filesError('LOG_RECORD_INVALID', 'not a log record', { cause });
  }
}

/** The operations of a record. Errors: `LOG_RECORD_INVALID`: another key, changed bytes, or unknown operations. */
export function openRecord(record: LogRecord, metadataKey: Bytes): readonly Operation[] {
  try {
    return decodeOperations(unseal(record.sealed, metadataKey, record.author, record.seq));
  } catch (cause) {
    throw filesError('LOG_RECORD_INVALID', 'the operations of a log record do not open', { cause });
  }
}

/** What is signed: the prefix keeps it apart from every other thing that this key signs. */
export function signedMessage(signed: Bytes): Bytes {
  return concat([signaturePrefix, signed]);
}

/** What the next record's `prev` is. */
export function recordHash(record: LogRecord): Bytes {
  return hash('sha256', record.signed, 'buffer');
}

function decode(body: Bytes): LogRecord {
  if (body.length > logRecordBytesMax) throw filesError('LOG_RECORD_INVALID', 'a log record is too long');
  const pair = decodeCbor(body);
  const [signedBytes, signature] = Array.isArray(pair) ? pair : [];
  if (
    !(signedBytes instanceof Uint8Array) ||
    !(signature instanceof Uint8Array) ||
    pair instanceof Uint8Array
  ) {
    throw filesError('LOG_RECORD_INVALID', 'not a log record');
  }
  if (signature.length !== 64) throw filesError('LOG_RECORD_INVALID', 'a signature has 64 bytes');
  const signed = new Uint8Array(signedBytes);
  const fields = CborFields.decode(signed);
  const version = fields.count('v');
  if (version !== 1) {
    throw filesError('LOG_VERSION_UNKNOWN', 'a log record of a newer version', { fields: { version } });
  }
  return {
    author: fields.bytes('author', 32),
    seq: fields.count('seq'),
    clock: decodeTime(fields.bytes('clock')),
    prev: fields.bytes('prev', 32),
    epoch: fields.count('epoch'),
    sealed: fields.bytes('sealed'),
    signed,
    signature: new Uint8Array(signature),
    body,
  };
}

function seal(plaintext: Bytes, key: Bytes, nonce: Bytes, author: Bytes, seq: number): Bytes {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(associatedData(author, seq));
  return concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function unseal(sealed: Bytes, key: Bytes, author: Bytes, seq: number): Bytes {
  if (sealed.length < nonceBytes + tagBytes) throw filesError('LOG_RECORD_INVALID', 'sealed part too short');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes));
  decipher.setAAD(associatedData(author, seq));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return concat([decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), decipher.final()]);
}

function associatedData(author: Bytes, seq: number): Bytes {
  const bytes = new Uint8Array(40);
  bytes.set(author);
  viewOf(bytes).setBigUint64(32, BigInt(seq));
  return bytes;
}
