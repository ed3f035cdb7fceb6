import type { Bytes } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { pairingMessageBytesMax } from '../../base/limits.ts';
import { messageInvalid } from './errors.ts';

/** The payloads of `pair.start` and `pair.finish` (docs/formats.md §8), all CBOR maps with `v: 1`. */

export const exchangeIdBytes = 16;

export interface StartAnswer {
  /** Names the exchange in `pair.finish`. */
  readonly exchange: Bytes;
  /** OPAQUE's second message. */
  readonly message: Bytes;
}

export interface FinishRequest {
  readonly exchange: Bytes;
  /** Absent when the desktop found the code wrong: an honest desktop says so at once. */
  readonly proven?: {
    /** OPAQUE's third message. */
    readonly message: Bytes;
    readonly sealed: Bytes;
  };
}

export function encodeStart(message: Bytes): Bytes {
  return encodeCbor({ v: 1, message });
}

export function decodeStart(payload: Bytes): Bytes {
  return decode(payload, (fields) => opaqueMessage(fields));
}

export function encodeStartAnswer({ exchange, message }: StartAnswer): Bytes {
  return encodeCbor({ v: 1, exchange, message });
}

export function decodeStartAnswer(payload: Bytes): StartAnswer {
  return decode(payload, (fields) => ({
    exchange: fields.bytes('exchange', exchangeIdBytes),
    message: opaqueMessage(fields),
  }));
}

export function encodeFinish({ exchange, proven }: FinishRequest): Bytes {
  return encodeCbor({ v: 1, exchange, ...(proven ?? { message: null, sealed: null }) });
}

export function decodeFinish(payload: Bytes): FinishRequest {
  return decode(payload, (fields) => {
    const exchange = fields.bytes('exchange', exchangeIdBytes);
    if (!fields.has('message')) return { exchange };
    return { exchange, proven: { message: opaqueMessage(fields), sealed: fields.bytes('sealed') } };
  });
}

export function encodeFinishAnswer(sealed: Bytes): Bytes {
  return encodeCbor({ v: 1, sealed });
}

export function decodeFinishAnswer(payload: Bytes): Bytes {
  return decode(payload, (fields) => fields.bytes('sealed'));
}

function opaqueMessage(fields: CborFields): Bytes {
  const message = fields.bytes('message');
  if (message.length > pairingMessageBytesMax) throw messageInvalid();
  return message;
}

/** Reads one payload; whatever is wrong with it is `PAIRING_MESSAGE_INVALID`. */
function decode<T>(payload: Bytes, read: (fields: CborFields) => T): T {
  if (!isSmallFlatMap(payload)) throw messageInvalid();
  try {
    const fields = CborFields.decode(payload);
    if (fields.count('v') === 1) return read(fields);
  } catch (cause) {
    throw messageInvalid(cause);
  }
  throw messageInvalid();
}

const fieldsMax = 4;

/**
 * Whether this is a map of a few plain values. A stranger may send a megabyte, since a claim carries all records of
 * a pool; decoding as many empty lists would stop the box for a third of a second.
 */
function isSmallFlatMap(payload: Bytes): boolean {
  const first = payload[0] ?? 0;
  if (first >>> 5 !== 5 || (first & 31) > fieldsMax) return false;
  let offset = 1;
  for (let item = 0; item < 2 * (first & 31); item++) {
    const head = payload[offset] ?? 0xff;
    const [major, argument] = [head >>> 5, head & 31];
    if (argument > 27 || (major !== 0 && major !== 2 && major !== 3 && head !== 0xf6)) return false;
    const sizeBytes = argument < 24 ? 0 : 2 ** (argument - 24);
    let value = sizeBytes === 0 ? argument : 0;
    for (let index = 1; index <= sizeBytes; index++) value = value * 256 + (payload[offset + index] ?? 0);
    offset += 1 + sizeBytes + (major === 2 || major === 3 ? value : 0);
  }
  return offset === payload.length;
}
