import { type Bytes, sizeOf, utf8 } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { printable } from '../../base/format.ts';
import { nameBytesMax } from '../../base/limits.ts';
import { transferError } from './errors.ts';

/** What each side says of itself first; nothing in it is believed, it only makes errors clear. */
export interface Hello {
  readonly role: 'box' | 'desktop';
  /** For people. */
  readonly name: string;
  /** The pool it belongs to, when it belongs to one. */
  readonly pool: Bytes | undefined;
  /** What a box or a desktop is about, in a word. */
  readonly state: string;
  /** Where a box can be dialled, at the address it came from; undefined for a desktop. */
  readonly port?: number | undefined;
}

/** CBOR `{v: 1, role, name, pool: id | null, state, port: number | null}`. */
export function encodeHello({ role, name, pool, state, port }: Hello): Bytes {
  return encodeCbor({ v: 1, role, name, pool: pool ?? null, state, port: port ?? null });
}

/** Its texts are made printable: anybody may have written them. Errors: `PAYLOAD_INVALID`, `CBOR_INVALID`. */
export function decodeHello(payload: Bytes): Hello {
  const fields = CborFields.decode(payload);
  const [role, name, state] = [fields.text('role'), fields.text('name'), fields.text('state')];
  const known = fields.count('v') === 1 && (role === 'box' || role === 'desktop');
  if (!known || sizeOf([utf8(name), utf8(state)]) > 2 * nameBytesMax) {
    throw transferError('PAYLOAD_INVALID', 'a hello of another version, or too long');
  }
  const pool = fields.has('pool') ? fields.bytes('pool', 16) : undefined;
  return {
    role,
    name: printable(name),
    state: printable(state),
    pool,
    port: fields.has('port') ? fields.count('port') : undefined,
  };
}
