import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Bytes, toHex } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import { selfSignedCertificate } from './certificate.ts';
import { privateKeyFromSeed, privateKeySeedBytes, type Signer, signerOf } from './p256.ts';

export { memberIdOf, type Signer, verifySignature } from './p256.ts';

export type IdentityErrorCode = 'IDENTITY_CORRUPT' | 'IDENTITY_VERSION_UNKNOWN';

/** A member's own key: what makes a box this box and a desktop this desktop. */
export interface Identity extends Signer {
  /** PKCS#8. */
  readonly privateKeyPem: string;
  /** Self-signed; carries the key into TLS. */
  readonly certificatePem: string;
}

/** Where an identity lives in a member's state folder: CBOR `{v: 1, privateKey: PKCS#8 DER, certificate: PEM}`. */
export const identityPath = 'identity.cbor';

/** Makes a new identity. Nothing is stored. */
export async function createIdentity(clock: Clock, entropy: Entropy): Promise<Identity> {
  const privateKey = privateKeyFromSeed(entropy.bytes(privateKeySeedBytes));
  const { memberId } = signerOf(privateKey);
  return identityOf(
    privateKey,
    await selfSignedCertificate(privateKey, { commonName: toHex(memberId) }, { clock, entropy }),
  );
}

/**
 * The identity in the state folder; made, and durable on return, when there is none yet. Errors: those of the disk,
 * `IDENTITY_CORRUPT`, `IDENTITY_VERSION_UNKNOWN`. A damaged identity is never replaced by itself: the member would
 * lose its place in the pool.
 */
export async function loadOrCreateIdentity(
  disk: Disk,
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
): Promise<Identity> {
  const stored = await readFile(disk, identityPath, stateFileBytesMax);
  if (stored !== undefined) return decodeIdentity(stored);
  const identity = await createIdentity(clock, entropy);
  await replaceFile(disk, identityPath, encodeIdentity(identity));
  return identity;
}

function encodeIdentity(identity: Identity): Bytes {
  const privateKey = createPrivateKey(identity.privateKeyPem).export({ type: 'pkcs8', format: 'der' });
  return encodeCbor({ v: 1, privateKey: new Uint8Array(privateKey), certificate: identity.certificatePem });
}

function decodeIdentity(bytes: Bytes): Identity {
  let version: number | undefined;
  try {
    const fields = CborFields.decode(bytes);
    version = fields.count('v');
    if (version === 1) {
      const key = Buffer.from(fields.bytes('privateKey'));
      return identityOf(createPrivateKey({ key, format: 'der', type: 'pkcs8' }), fields.text('certificate'));
    }
  } catch (cause) {
    throw new AetherError<IdentityErrorCode>('IDENTITY_CORRUPT', 'the identity file cannot be read', {
      help: `Put ${identityPath} back from a copy; or remove it, and this machine must be enrolled as a new one.`,
      cause,
    });
  }
  throw new AetherError<IdentityErrorCode>('IDENTITY_VERSION_UNKNOWN', 'the identity is of a later version', {
    fields: { version },
    help: 'Update this program.',
  });
}

function identityOf(privateKey: KeyObject, certificatePem: string): Identity {
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...signerOf(privateKey), privateKeyPem, certificatePem };
}
