import { type KeyObject, webcrypto } from 'node:crypto';
import { toHex } from '../base/bytes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';

const dayMs = 24 * 60 * 60_000;

/** RFC 5280 §4.1.2.5: a certificate that has no well-defined end. */
const noEndMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Whose certificate it is. */
export interface CertificateSubject {
  /** Without commas and other characters that RFC 4514 gives a meaning. */
  readonly commonName: string;
  /** Host names that browsers may reach it by. */
  readonly hostNames?: readonly string[];
}

/**
 * A self-signed certificate (PEM) that carries a P-256 key into TLS. Peers judge the key, never the dates: a box without
 * a battery-backed clock may make it in 1970, and a person who has accepted it once in a browser is not asked again.
 */
export async function selfSignedCertificate(
  privateKey: KeyObject,
  { commonName, hostNames = [] }: CertificateSubject,
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
): Promise<string> {
  const { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } = await loadX509();
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const jwk = privateKey.export({ format: 'jwk' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const spki = { kty: 'EC', crv: 'P-256', x: jwk.x!, y: jwk.y! };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // 19 bytes with a leading 01: positive, and within the 20 octets of RFC 5280 §4.1.2.2.
    serialNumber: `01${toHex(entropy.bytes(18))}`,
    name: `CN=${commonName}`,
    notBefore: new Date(Math.max(0, clock.wallMs() - dayMs)),
    notAfter: new Date(noEndMs),
    extensions:
      hostNames.length === 0
        ? []
        : [new SubjectAlternativeNameExtension(hostNames.map((value) => ({ type: 'dns', value })))],
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
      publicKey: await webcrypto.subtle.importKey('jwk', spki, algorithm, true, ['verify']),
    },
  });
  return PemConverter.encode(certificate.rawData, 'CERTIFICATE');
}

/**
 * Loads the certificate library, and the metadata that it is wired by, only when a certificate is made: once in a
 * member's life, for 0.1 s and 20 MB.
 */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
