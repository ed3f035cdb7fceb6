import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { requireTools } from '../stages/debian.ts';
import { run } from '../stages/run.ts';

/** Who signs updates. The key is on no box and in no repository. */
export interface Signer {
  readonly keyFile: string;
  readonly certificateFile: string;
  /** PEM of the certificate that a box checks updates against. */
  readonly certificate: string;
}

const keysFolder = join(
  process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'),
  'aetherstore',
  'keys',
);

/** A key of this user for images that are not released; made when it is not there yet. */
export function developmentSigner(say: (line: string) => void): Signer {
  const keyFile = join(keysFolder, 'development.key.pem');
  const certificateFile = join(keysFolder, 'development.cert.pem');
  if (!existsSync(certificateFile)) {
    // Cards that were made with it take updates of no other.
    if (existsSync(keyFile))
      throw new Error(`there is ${keyFile}, and its certificate is gone: put ${certificateFile} back`);
    say(`development key: made in ${keysFolder}`);
    mkdirSync(keysFolder, { recursive: true, mode: 0o700 });
    makeCertificate(keyFile, certificateFile, { name: 'AetherStore development' });
  }
  return { keyFile, certificateFile, certificate: readFileSync(certificateFile, 'utf8') };
}

/** The key and the certificate (PEM) of releases. Throws when they do not belong together. */
export function releaseSigner(keyFile: string, certificateFile: string): Signer {
  const key = readFileSync(keyFile, 'utf8');
  const certificate = readFileSync(certificateFile, 'utf8');
  // openssl asks for the passphrase of an encrypted one when it signs.
  const encrypted = key.includes('ENCRYPTED');
  if (!encrypted && !new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`the certificate ${certificateFile} is not of the key ${keyFile}`);
  return { keyFile, certificateFile, certificate };
}

/** The certificates (PEM) in a file, one or more. Throws when one cannot be read, or there is none. */
export function certificatesIn(file: string): string {
  const text = readFileSync(file, 'utf8');
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Error(`${file} has no certificate in it`);
  for (const each of found) {
    try {
      new X509Certificate(each);
    } catch (cause) {
      throw new Error(`${file} has a certificate in it that cannot be read`, { cause });
    }
  }
  return `${found.join('\n')}\n`;
}

export interface CertificateOptions {
  readonly name: string;
  /** As openssl writes times: YYYYMMDDHHMMSSZ. From 2020 on, as builds that can be repeated sign in the past. */
  readonly from?: string;
  readonly until?: string;
  /** Who vouches for it; it does for itself where nobody is named. */
  readonly issuer?: Pick<Signer, 'keyFile' | 'certificateFile'>;
}

/** Makes a key, and a certificate of it that may sign bundles. */
export function makeCertificate(
  keyFile: string,
  certificateFile: string,
  { name, from = '20200101000000Z', until = '21200101000000Z', issuer }: CertificateOptions,
): void {
  requireTools('openssl');
  const making = `${certificateFile}.${process.pid}`;
  run('openssl', ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072', '-out', keyFile]);
  run('chmod', ['600', keyFile]);
  const request = `${making}.csr`;
  const extensions = `${making}.ext`;
  const may = issuer === undefined ? 'digitalSignature,keyCertSign' : 'digitalSignature';
  const text = `basicConstraints=critical,CA:${issuer === undefined ? 'TRUE' : 'FALSE'}
keyUsage=critical,${may}
extendedKeyUsage=emailProtection,codeSigning
`;
  run('sh', ['-c', 'cat >"$0"', extensions], { input: text });
  run('openssl', ['req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', request]);
  const signing = ['-in', request, '-startdate', from, '-enddate', until, '-extfile', extensions];
  const by =
    issuer === undefined
      ? ['-keyfile', keyFile, '-selfsign']
      : ['-keyfile', issuer.keyFile, '-cert', issuer.certificateFile];
  run('sh', ['-euc', sign, making, ...signing, ...by, '-out', `${making}.pem`]);
  renameSync(`${making}.pem`, certificateFile);
  for (const each of [request, extensions]) rmSync(each, { force: true });
}

/** openssl's `ca` alone takes both dates, and wants a folder of its own for that. */
const sign = `db=$(mktemp -d); trap 'rm -rf "$db"' EXIT; : >"$db/index.txt"
cat >"$db/ca.cnf" <<END
[ca]
default_ca = own
[own]
database = $db/index.txt
new_certs_dir = $db
serial = $db/serial
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
END
openssl ca -batch -notext -config "$db/ca.cnf" "$@"`;
