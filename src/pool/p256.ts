import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as ecdsaSign,
  verify as ecdsaVerify,
  type KeyObject,
} from 'node:crypto';
import { assert } from '../base/assert.ts';
import { type Bytes, concat, fromHex, startsWith, toHex } from '../base/bytes.ts';

/** Who can sign: a member, or the pool's authority. */
export interface Signer {
  /** SHA-256 of `publicKey`, 32 bytes. */
  readonly memberId: Bytes;
  /** DER SubjectPublicKeyInfo of a P-256 key, 91 bytes. */
  readonly publicKey: Bytes;
  /** ECDSA with SHA-256, as r‖s (64 bytes). Two signatures of one message differ: the nonce is OpenSSL's. */
  sign(message: Bytes): Bytes;
}

/** What a P-256 SubjectPublicKeyInfo (RFC 5480 §2) begins with, up to and with the mark of an uncompressed point. */
const spkiPrefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')!;
const publicKeyBytes = 91;
export const signatureBytes = 64;

/** Order of the group of P-256 (SP 800-186 §3.2.1.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Bytes of uniform randomness a private key is made from: 128 bits over the order, so that no bias is left. */
export const privateKeySeedBytes = 48;

/** The private key of FIPS 186-5 §A.2.1: (seed mod (n − 1)) + 1, from 48 uniformly random bytes. */
export function privateKeyFromSeed(seed: Bytes): KeyObject {
  assert(seed.length === privateKeySeedBytes, 'a P-256 key is made from 48 bytes');
  const scalar = (BigInt(`0x${toHex(seed)}`) % (order - 1n)) + 1n;
  const d = fromHex(scalar.toString(16).padStart(64, '0'))!;
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const jwk = { kty: 'EC', crv: 'P-256', d: base64url(d), x: base64url(point.subarray(1, 33)) };
  return createPrivateKey({ key: { ...jwk, y: base64url(point.subarray(33)) }, format: 'jwk' });
}

export function signerOf(privateKey: KeyObject): Signer {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const publicKey = new Uint8Array(spki);
  assert(isPublicKey(publicKey), 'a member key is a P-256 key');
  return {
    memberId: memberIdOf(publicKey),
    publicKey,
    sign: (message) =>
      new Uint8Array(ecdsaSign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  };
}

/** The member id of a key: SHA-256 of its DER SubjectPublicKeyInfo. */
export function memberIdOf(publicKey: Bytes): Bytes {
  return new Uint8Array(createHash('sha256').update(publicKey).digest());
}

/** Whether the bytes have the form of a P-256 SubjectPublicKeyInfo with an uncompressed point. */
export function isPublicKey(bytes: Bytes): boolean {
  return bytes.length === publicKeyBytes && startsWith(bytes, spkiPrefix);
}

/** True when `signature` (r‖s) of `message` was made by the key; false for whatever is malformed. */
export function verifySignature(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (!isPublicKey(publicKey) || signature.length !== signatureBytes) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    return ecdsaVerify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false; // The point is not on the curve.
  }
}

/** The bytes that are signed: a text that tells what they are for, then the message. */
export function inDomain(domain: Bytes, message: Bytes): Bytes {
  return concat([domain, message]);
}

function base64url(bytes: Bytes): string {
  return Buffer.from(bytes).toString('base64url');
}
