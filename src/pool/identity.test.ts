import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { encodeCbor } from '../base/cbor.ts';
import { replaceFile } from '../ports/replace-file.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import {
  createIdentity,
  identityPath,
  loadOrCreateIdentity,
  memberIdOf,
  verifySignature,
} from './identity.ts';
import { privateKeyFromSeed, signerOf } from './p256.ts';

const ports = (seed: number) => ({ clock: new FakeClock(), entropy: new SeededEntropy(seed) });
const diskOf = (seed: number) => new MemoryDisk({ entropy: new SeededEntropy(seed) });

test('a scalar is (seed mod (n − 1)) + 1 (FIPS 186-5 §A.2.1)', () => {
  const scalar = (hex: string) => {
    const { d } = privateKeyFromSeed(fromHex(hex.padStart(96, '0'))!).export({ format: 'jwk' });
    return toHex(Buffer.from(d!, 'base64url')).replace(/^0+/, '');
  };
  assert.equal(scalar('00'), '1');
  assert.equal(scalar('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550'), '1');
  assert.equal(
    scalar('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f'),
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550',
  );
});

test('the scalar 1 has the base point as public key (SP 800-186 §3.2.1.3)', () => {
  const { publicKey } = signerOf(privateKeyFromSeed(new Uint8Array(48)));
  const x = '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296';
  assert.equal(toHex(publicKey.subarray(27, 59)), x);
});

test('the certificate carries the key, is signed by it, and is named after the member', async () => {
  const identity = await createIdentity(new FakeClock(), new SeededEntropy(1));
  const certificate = new X509Certificate(identity.certificatePem);
  assert.equal(certificate.subject, `CN=${toHex(identity.memberId)}`);
  assert.ok(certificate.verify(certificate.publicKey));
  const spki = new Uint8Array(certificate.publicKey.export({ type: 'spki', format: 'der' }));
  assert.deepEqual(memberIdOf(spki), identity.memberId);
  assert.equal(certificate.validTo, 'Dec 31 23:59:59 9999 GMT');
});

test('a box whose clock says 1970 makes a certificate all the same', async () => {
  const identity = await createIdentity(new FakeClock(0), new SeededEntropy(1));
  assert.equal(new X509Certificate(identity.certificatePem).validFrom, 'Jan  1 00:00:00 1970 GMT');
});

test('an identity is made once, and is the same after a power cut', async () => {
  const disk = diskOf(1);
  const first = await loadOrCreateIdentity(disk, ports(1));
  disk.crash();
  const second = await loadOrCreateIdentity(disk, ports(2));
  assert.deepEqual(second.memberId, first.memberId);
  assert.equal(second.privateKeyPem, first.privateKeyPem);
  assert.equal(second.certificatePem, first.certificatePem);
  assert.ok(verifySignature(first.publicKey, utf8('hello'), second.sign(utf8('hello'))));
});

test('a damaged identity, or one of a later version, is refused and left alone', async () => {
  for (const [bytes, code] of [
    [utf8('rubbish'), 'IDENTITY_CORRUPT'],
    [new Uint8Array(0), 'IDENTITY_CORRUPT'],
    [encodeCbor({ v: 1, privateKey: new Uint8Array(3), certificate: '' }), 'IDENTITY_CORRUPT'],
    [encodeCbor({ v: 2 }), 'IDENTITY_VERSION_UNKNOWN'],
  ] as const) {
    const disk = diskOf(1);
    await replaceFile(disk, identityPath, bytes);
    await assert.rejects(loadOrCreateIdentity(disk, ports(1)), { code });
    assert.deepEqual(disk.contents(identityPath), bytes);
  }
});

test('a signature holds for its message and key alone', () => {
  const [ours, theirs] = [1, 2].map((byte) => signerOf(privateKeyFromSeed(new Uint8Array(48).fill(byte))));
  const message = utf8('message');
  const signature = ours!.sign(message);
  assert.equal(signature.length, 64);
  assert.ok(verifySignature(ours!.publicKey, message, signature));
  assert.ok(!verifySignature(theirs!.publicKey, message, signature));
  assert.ok(!verifySignature(ours!.publicKey, utf8('messagf'), signature));
  for (let index = 0; index < signature.length; index++) {
    const changed = signature.slice();
    changed[index]! ^= 1;
    assert.ok(!verifySignature(ours!.publicKey, message, changed));
  }
});

test('a key or signature that is no key or signature is false, never an error', () => {
  const { publicKey, sign } = signerOf(privateKeyFromSeed(new Uint8Array(48).fill(3)));
  const message = utf8('message');
  const offCurve = publicKey.slice();
  offCurve[90]! ^= 1;
  assert.ok(!verifySignature(offCurve, message, sign(message)));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.ok(!verifySignature(bytes, message, sign(message)));
      assert.ok(!verifySignature(publicKey, message, bytes));
    }),
    { numRuns: 30 },
  );
});
