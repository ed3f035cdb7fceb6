import { hkdfSync } from 'node:crypto';
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { type Bytes, equalBytes, toHex, utf8, viewOf } from '../base/bytes.ts';
import { CborFields, type CborValue, encodeCbor } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Disk } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import {
  isPublicKey,
  memberIdOf,
  privateKeyFromSeed,
  privateKeySeedBytes,
  type Signer,
  signerOf,
} from './p256.ts';

export type AuthorityErrorCode =
  /** The words are not 24, one is not on the list, or they do not belong together. */
  'RECOVERY_WORDS_INVALID' | 'POOL_SECRETS_CORRUPT' | 'POOL_SECRETS_VERSION_UNKNOWN';

/** What every box of a pool holds, and nobody else (docs/formats.md §3). Never logged. */
export interface PoolSecrets {
  /** The pool's id, 16 bytes. */
  readonly pool: Bytes;
  /** DER SubjectPublicKeyInfo of the authority, which every member's chain of admission ends at. */
  readonly authorityPublicKey: Bytes;
  /** 32 bytes: gives chunk keys and the chunker's table. */
  readonly dedupeSecret: Bytes;
  /** 1 at the pool's birth. */
  readonly epoch: number;
  /** 32 bytes: gives the keys for metadata, names and the multicast group. */
  readonly epochSecret: Bytes;
}

/** The root of a pool's trust, as its recovery words give it. */
export interface Authority {
  readonly signer: Signer;
  /** The secrets of the pool's first epoch. */
  readonly secrets: PoolSecrets;
}

const recoveryWordCount = 24;
export const poolIdBytes = 16;
const secretBytes = 32;

/** Where a member keeps the pool's secrets; its being there is what "claimed" means. */
export const poolSecretsPath = 'pool.cbor';

/** 24 fresh words (BIP-39, English) for 256 bits of entropy. They are the pool: whoever has them owns it. */
export function newRecoveryWords(entropy: Entropy): string {
  return entropyToMnemonic(entropy.bytes(secretBytes), wordlist);
}

/**
 * The pool that 24 recovery words are the root of. Case and spacing do not matter. Errors: `RECOVERY_WORDS_INVALID`,
 * with `position` (from 1) of the first word that is on no list, or `count`; never a word itself.
 */
export function authorityFromWords(words: string): Authority {
  const seed = seedOf(words);
  const signer = signerOf(privateKeyFromSeed(derive(seed, 'aetherstore authority v1', privateKeySeedBytes)));
  return {
    signer,
    secrets: {
      pool: poolIdOf(signer.publicKey),
      authorityPublicKey: signer.publicKey,
      dedupeSecret: derive(seed, 'aetherstore dedupe v1'),
      epoch: 1,
      epochSecret: derive(seed, 'aetherstore epoch 1'),
    },
  };
}

export function poolIdOf(authorityPublicKey: Bytes): Bytes {
  return memberIdOf(authorityPublicKey).slice(0, poolIdBytes);
}

/** Key of the keyed hash that gives each chunk its key. 32 bytes. */
export function chunkKeySecretOf(secrets: PoolSecrets): Bytes {
  return derive(secrets.dedupeSecret, 'chunk key');
}

/** The 256 numbers of the pool's chunker. */
export function gearTableOf(secrets: PoolSecrets): Uint32Array {
  const view = viewOf(derive(secrets.dedupeSecret, 'gear', 1024));
  return Uint32Array.from({ length: 256 }, (_, index) => view.getUint32(index * 4, true));
}

/** Key that seals log records and the tree's values in the secrets' epoch. 32 bytes. */
export function metadataKeyOf(secrets: PoolSecrets): Bytes {
  return derive(secrets.epochSecret, 'metadata');
}

/** Key of the keyed hash that names are looked up by. 32 bytes. */
export function nameKeyOf(secrets: PoolSecrets): Bytes {
  return derive(secrets.epochSecret, 'names');
}

/** Key of the pool's multicast group in the secrets' epoch. 32 bytes. */
export function groupKeyOf(secrets: PoolSecrets): Bytes {
  return derive(secrets.epochSecret, 'group');
}

/** What a member gives a program that reads the boxes' metrics: 64 hexadecimal digits, from which no key follows. */
export function metricsTokenOf(secrets: PoolSecrets): string {
  return toHex(derive(secrets.epochSecret, 'metrics'));
}

/** `{pool, authority, dedupe, epoch, epochSecret}`: how secrets are written, in a file or in a sealed message. */
export function poolSecretsToCbor(secrets: PoolSecrets): { readonly [key: string]: CborValue } {
  return {
    pool: secrets.pool,
    authority: secrets.authorityPublicKey,
    dedupe: secrets.dedupeSecret,
    epoch: secrets.epoch,
    epochSecret: secrets.epochSecret,
  };
}

/** Reads {@link poolSecretsToCbor}; `POOL_SECRETS_CORRUPT` when the parts do not fit together, or `CBOR_INVALID`. */
export function poolSecretsFromCbor(fields: CborFields): PoolSecrets {
  const secrets = {
    pool: fields.bytes('pool', poolIdBytes),
    authorityPublicKey: fields.bytes('authority'),
    dedupeSecret: fields.bytes('dedupe', secretBytes),
    epoch: fields.count('epoch'),
    epochSecret: fields.bytes('epochSecret', secretBytes),
  };
  const { authorityPublicKey, pool } = secrets;
  if (isPublicKey(authorityPublicKey) && equalBytes(pool, poolIdOf(authorityPublicKey))) return secrets;
  throw corrupt();
}

/** Keeps the secrets in a member's state folder; durable on return. */
export async function savePoolSecrets(disk: Disk, secrets: PoolSecrets): Promise<void> {
  await replaceFile(disk, poolSecretsPath, encodeCbor({ v: 1, ...poolSecretsToCbor(secrets) }));
}

/** The secrets in the state folder, or undefined in one that belongs to no pool. */
export async function loadPoolSecrets(disk: Disk): Promise<PoolSecrets | undefined> {
  const bytes = await readFile(disk, poolSecretsPath, stateFileBytesMax);
  if (bytes === undefined) return undefined;
  let version: number;
  try {
    const fields = CborFields.decode(bytes);
    version = fields.count('v');
    if (version === 1) return poolSecretsFromCbor(fields);
  } catch (cause) {
    throw corrupt(cause);
  }
  throw new AetherError<AuthorityErrorCode>(
    'POOL_SECRETS_VERSION_UNKNOWN',
    'the pool is of a later version',
    {
      fields: { version },
      help: 'Update this program.',
    },
  );
}

function seedOf(text: string): Bytes {
  const words = text.normalize('NFKD').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length !== recoveryWordCount) {
    throw wordsInvalid(`there are ${words.length} words, not ${recoveryWordCount}`, { count: words.length });
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word));
  if (unknown !== -1) {
    throw wordsInvalid(`word ${unknown + 1} is not on the list`, { position: unknown + 1 });
  }
  try {
    return mnemonicToEntropy(words.join(' '), wordlist);
  } catch {
    // Without the library's error: it may quote the words.
    throw wordsInvalid('the words do not belong together: one is wrong, or their order is');
  }
}

function wordsInvalid(what: string, fields: Record<string, number> = {}): AetherError<AuthorityErrorCode> {
  return new AetherError('RECOVERY_WORDS_INVALID', `recovery words: ${what}`, {
    fields,
    help: 'Compare the words, one by one and in their order, with the paper they were written on.',
  });
}

function corrupt(cause?: unknown): AetherError<AuthorityErrorCode> {
  return new AetherError('POOL_SECRETS_CORRUPT', "the pool's secrets cannot be read", {
    help: `Put ${poolSecretsPath} back from a copy, or enrol this machine again.`,
    cause,
  });
}

/** HKDF with SHA-256 and no salt (RFC 5869); `secret` is uniformly random already. */
function derive(secret: Bytes, info: string, byteCount = secretBytes): Bytes {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), utf8(info), byteCount));
}
