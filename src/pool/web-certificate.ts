import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { hasCode } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { HttpCertificate } from '../ports/http-server.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import { selfSignedCertificate } from './certificate.ts';
import { privateKeyFromSeed, privateKeySeedBytes } from './p256.ts';

/** CBOR `{v: 1, host, privateKey: PKCS #8 DER, certificate: PEM}` in the state folder. */
const path = 'web.cbor';

export interface WebCertificatePorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/**
 * What the box's page shows in TLS, for the host name `host`: kept, so that a browser that has accepted it knows it
 * again; made anew when the box is called otherwise. A key of its own: who breaks a browser's way in has not become the
 * box among its peers. Errors: those of the disk.
 */
export async function loadOrCreateWebCertificate(
  host: string,
  ports: WebCertificatePorts,
): Promise<HttpCertificate> {
  const { disk, log } = ports;
  const stored = await readFile(disk, path, stateFileBytesMax);
  if (stored !== undefined) {
    try {
      const fields = CborFields.decode(stored);
      const key = Buffer.from(fields.bytes('privateKey'));
      const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
      const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      if (fields.text('host') === host) return { privateKeyPem, certificatePem: fields.text('certificate') };
    } catch (error) {
      if (!hasCode(error, 'CBOR_INVALID') && !(error instanceof Error && 'opensslErrorStack' in error))
        throw error;
      log.warn('certificate of the page unreadable, making a new one');
    }
  }
  return create(host, ports);
}

async function create(host: string, { disk, clock, entropy }: WebCertificatePorts): Promise<HttpCertificate> {
  const key = privateKeyFromSeed(entropy.bytes(privateKeySeedBytes));
  const subject = { commonName: host, hostNames: [host] };
  const certificatePem = await selfSignedCertificate(key, subject, { clock, entropy });
  const privateKey = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  await replaceFile(disk, path, encodeCbor({ v: 1, host, privateKey, certificate: certificatePem }));
  return { privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificatePem };
}

/** By what a person recognises the certificate: SHA-256 of it, as browsers show it. */
export function fingerprintOf({ certificatePem }: HttpCertificate): string {
  return new X509Certificate(certificatePem).fingerprint256;
}
