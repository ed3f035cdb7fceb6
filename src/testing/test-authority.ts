import { webcrypto } from 'node:crypto';
import type { Extension } from '@peculiar/x509';
import { loadX509 } from '../pool/certificate.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** A certificate authority as a person makes one at home. */
export interface TestAuthority {
  readonly caPem: string;
  /** For a host name or an IPv4 address. */
  issue(name: string): Promise<IssuedCertificate>;
}

export async function testAuthority(name: string): Promise<TestAuthority> {
  const x509 = await loadX509();
  const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await newKeys();
  const issuer = `CN=${name}`;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: issuer,
    signingAlgorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (subject: string): Promise<IssuedCertificate> => {
    const own = await newKeys();
    const type = /^[\d.]+$/.test(subject) ? 'ip' : 'dns';
    const extensions: Extension[] = [new x509.SubjectAlternativeNameExtension([{ type, value: subject }])];
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: '02',
      subject: `CN=${subject}`,
      issuer,
      signingAlgorithm,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions,
    });
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
    return {
      certificatePem: x509.PemConverter.encode(certificate.rawData, 'CERTIFICATE'),
      keyPem: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    };
  };
  return { caPem: x509.PemConverter.encode(ca.rawData, 'CERTIFICATE'), issue };
}
