import { decode, encode } from 'cborg';
import type { Bytes } from './bytes.ts';
import { AetherError } from './errors.ts';

export type CborErrorCode = 'CBOR_INVALID';

/** What CBOR can carry here: no undefined, no dates, no class instances. */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Bytes
  | readonly CborValue[]
  | { readonly [key: string]: CborValue };

/** Deterministic CBOR (RFC 8949 §4.2): shortest integers, map keys sorted. */
export function encodeCbor(value: CborValue): Bytes {
  return encode(value);
}

/**
 * Decodes one value that fills `bytes` whole. Refuses indefinite lengths, duplicate keys, tags, undefined, NaN and
 * integers that are not shortest (`CBOR_INVALID`); the caller has bounded the length.
 */
export function decodeCbor(bytes: Bytes): CborValue {
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      rejectDuplicateMapKeys: true,
    }) as CborValue;
  } catch (cause) {
    throw invalid('not well-formed', cause);
  }
}

/** Reads typed fields of a decoded map; anything missing or of another type is `CBOR_INVALID`. */
export class CborFields {
  readonly #fields: { readonly [key: string]: CborValue };

  constructor(value: CborValue) {
    if (!isMap(value)) throw invalid('a map was expected');
    this.#fields = value;
  }

  static decode(bytes: Bytes): CborFields {
    return new CborFields(decodeCbor(bytes));
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string') throw invalid(`${name}: text was expected`);
    return value;
  }

  /** A whole number from 0 to 2⁵³ − 1. */
  count(name: string): number {
    const value = this.#fields[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw invalid(`${name}: a whole number was expected`);
    }
    return value;
  }

  flag(name: string): boolean {
    const value = this.#fields[name];
    if (typeof value !== 'boolean') throw invalid(`${name}: true or false was expected`);
    return value;
  }

  /** A byte string; of exactly `size` bytes where given. It owns its memory. */
  bytes(name: string, size?: number): Bytes {
    const value = this.#fields[name];
    if (!(value instanceof Uint8Array) || (size !== undefined && value.length !== size)) {
      throw invalid(`${name}: ${size === undefined ? 'bytes were' : `${size} bytes were`} expected`);
    }
    return new Uint8Array(value);
  }

  list(name: string): readonly CborValue[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw invalid(`${name}: a list was expected`);
    return value;
  }

  map(name: string): CborFields {
    return new CborFields(this.value(name));
  }

  /** Whether the field is there and not null. */
  has(name: string): boolean {
    const value = this.#fields[name];
    return value !== undefined && value !== null;
  }

  value(name: string): CborValue {
    const value = this.#fields[name];
    if (value === undefined) throw invalid(`${name}: missing`);
    return value;
  }

  names(): readonly string[] {
    return Object.keys(this.#fields);
  }
}

function isMap(value: CborValue): value is { readonly [key: string]: CborValue } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function invalid(what: string, cause?: unknown): AetherError<CborErrorCode> {
  return new AetherError('CBOR_INVALID', `CBOR: ${what}`, { cause });
}
