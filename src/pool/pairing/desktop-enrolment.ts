import type { Bytes } from '../../base/bytes.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { authorityFromWords, newRecoveryWords, type PoolSecrets } from '../authority.ts';
import type { Signer } from '../identity.ts';
import { admit } from '../membership/record.ts';
import { encodeEnrolmentRequest } from './enrolment-message.ts';

/** A party to admit, as the connection to it shows it. */
export interface Newcomer {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
  /** 1–63 bytes without control characters. */
  readonly name: string;
}

export interface NewPool {
  /** 24 words, to be shown once and kept nowhere. */
  readonly words: string;
  readonly secrets: PoolSecrets;
  /** Admit the desktop, if there is one, and the first box, both by the authority. */
  readonly records: readonly Bytes[];
  /** For `pairWithBox`. */
  readonly message: Bytes;
}

/**
 * Makes a pool out of this desktop and its first box, or of the box alone. The caller keeps secrets and records before it sends the
 * message: if the answer gets lost, the box may be claimed, and this desktop is its member.
 */
export function startPool(
  { desktop, box }: { readonly desktop?: Newcomer; readonly box: Newcomer },
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
): NewPool {
  const words = newRecoveryWords(entropy);
  const { signer, secrets } = authorityFromWords(words);
  const common = { pool: secrets.pool, atMs: clock.wallMs() };
  const records = [
    ...(desktop === undefined ? [] : [admit(signer, { ...common, ...desktop, role: 'desktop' })]),
    admit(signer, { ...common, ...box, role: 'box' }),
  ];
  return { words, secrets, records, message: encodeEnrolmentRequest({ want: 'claim', secrets, records }) };
}

/** Takes one more box into the pool: its record, signed by this desktop, and the message for `pairWithBox`. */
export function joinBox(
  {
    identity,
    secrets,
    records,
    box,
  }: {
    readonly identity: Signer;
    readonly secrets: PoolSecrets;
    /** All records of the pool that the desktop has. */
    readonly records: readonly Bytes[];
    readonly box: Newcomer;
  },
  { clock }: { readonly clock: Clock },
): { readonly record: Bytes; readonly message: Bytes } {
  const { pool } = secrets;
  const record = admit(identity, { pool, ...box, role: 'box', atMs: clock.wallMs() });
  const message = encodeEnrolmentRequest({ want: 'claim', secrets, records: [...records, record] });
  return { record, message };
}

/** The message by which a desktop asks a claimed box to be admitted. */
export function loginMessage(desktop: Newcomer): Bytes {
  return encodeEnrolmentRequest({ want: 'login', publicKey: desktop.publicKey, name: desktop.name });
}
