import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { CborFields, type CborValue, encodeCbor } from '../../base/cbor.ts';
import type { Roster } from './roster.ts';

/** Asks one member for method 48 (members.exchange). */
export type ExchangeRequest = (payload: Bytes) => Promise<Bytes>;

/**
 * Brings two member sets together (docs/formats.md §6, method 48): each side says the digest of what it has, and
 * sends records only when the digests differ. Payload and answer are CBOR `{digest, records: [record] | null}`.
 */
export class MemberExchange {
  readonly #roster: Roster;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  /** Afterwards both sides hold what either held, durably. Errors: those of the request and the disk. */
  async withPeer(request: ExchangeRequest): Promise<void> {
    const theirs = decode(await request(this.#encode(false)));
    if (equalBytes(theirs.digest, this.#roster.digest())) return;
    await this.#roster.add(theirs.records);
    if (equalBytes(theirs.digest, this.#roster.digest())) return;
    await request(this.#encode(true));
  }

  /** The other side's request. */
  async answer(payload: Bytes): Promise<Bytes> {
    const theirs = decode(payload);
    if (theirs.records.length > 0) await this.#roster.add(theirs.records);
    return this.#encode(!equalBytes(theirs.digest, this.#roster.digest()));
  }

  #encode(whole: boolean): Bytes {
    return encodeCbor({ digest: this.#roster.digest(), records: whole ? this.#roster.records() : null });
  }
}

function decode(payload: Bytes): { readonly digest: Bytes; readonly records: readonly Bytes[] } {
  const fields = CborFields.decode(payload);
  const records: readonly CborValue[] = fields.has('records') ? fields.list('records') : [];
  return {
    digest: fields.bytes('digest', 32),
    records: records.filter((record) => record instanceof Uint8Array),
  };
}
