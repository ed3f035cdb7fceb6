import { type Bytes, sizeOf, utf8 } from '../../base/bytes.ts';
import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { printable } from '../../base/format.ts';
import { nameBytesMax } from '../../base/limits.ts';
import type { ToldTime } from '../pool-time.ts';
import { transferError } from './errors.ts';

/**
 * What each side says of itself first. Nothing in it is believed, it only makes errors clear; but for the time, which a
 * box whose own clock is not set takes from members.
 */
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
  readonly clock?: ToldTime | undefined;
}

/** CBOR `{v: 1, role, name, pool: id | null, state, port: number | null, clock: {at, set} | null}`. */
export function encodeHello({ role, name, pool, state, port, clock }: Hello): Bytes {
  const told = clock === undefined ? null : { at: clock.wallMs, set: clock.isSet };
  return encodeCbor({ v: 1, role, name, pool: pool ?? null, state, port: port ?? null, clock: told });
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
    clock: fields.has('clock') ? decodeTold(fields.map('clock')) : undefined,
  };
}

function decodeTold(fields: CborFields): ToldTime {
  return { wallMs: fields.count('at'), isSet: fields.flag('set') };
}
