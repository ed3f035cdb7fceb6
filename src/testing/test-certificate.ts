import { webcrypto } from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';
import { loadX509 } from '../pool/certificate.ts';

export interface TestCertificate {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
}

/** A fresh key and its self-signed certificate: of the curve that members have, or of one they must not have. */
export async function testCertificate(namedCurve: 'P-256' | 'P-384' = 'P-256'): Promise<TestCertificate> {
  const { PemConverter, X509CertificateGenerator } = await loadX509();
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    privateKeyPem: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    certificatePem: PemConverter.encode(certificate.rawData, 'CERTIFICATE'),
    publicKey: new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey)),
  };
}
