import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../paths.ts';
import { sourceDateEpoch } from '../stages/debian.ts';
import type { ImageTools } from '../stages/tools.ts';
import { hashTree } from './hash-tree.ts';
import type { Signer } from './signer.ts';

export interface SealOptions {
  readonly bundle: string;
  readonly signer: Signer;
  /** Where it may work. */
  readonly folder: string;
  readonly tools: ImageTools;
}

/**
 * Makes hash tree and signature of a bundle anew, so that the same content gives the same bytes: RAUC draws a salt for
 * the one and looks at the clock for the other. The salt becomes the content's own digest, the time that of everything
 * in an image, or of the certificate's first second where that is later: a box refuses what was signed before. RSA
 * (PKCS #1 v1.5) draws nothing. Throws when a box would not take the bundle.
 *
 * Layout: squashfs, hash tree, CMS with the manifest inside, and how long that is as 8 bytes, big-endian.
 */
export function sealAgain({ bundle, signer, folder, tools }: SealOptions): void {
  const { content, manifest } = openBundle(bundle, folder, tools);
  const salt = createHash('sha256').update(content).digest();
  const { tree, rootHash } = hashTree(content, salt);
  const sealed = manifest
    .replace(/^verity-salt=.*$/m, `verity-salt=${salt.toString('hex')}`)
    .replace(/^verity-hash=.*$/m, `verity-hash=${rootHash.toString('hex')}`)
    .replace(/^verity-size=.*$/m, `verity-size=${tree.length}`);
  writeBundle(bundle, [content, tree], sign(sealed, { signer, folder, tools }));
  requireTrusted({ bundle, signer, folder, tools });
}

export interface AnotherManifest extends SealOptions {
  /** Where the bundle goes that is made of this one. */
  readonly output: string;
  readonly edit: (manifest: string) => string;
}

/** The same content under another manifest or of another signer: for tests of bundles that a box must refuse. */
export function signAnew({ bundle, output, edit, signer, folder, tools }: AnotherManifest): void {
  const { content, tree, manifest } = openBundle(bundle, folder, tools);
  writeBundle(output, [content, tree], sign(edit(manifest), { signer, folder, tools }));
}

function writeBundle(file: string, parts: readonly Buffer[], signature: Buffer): void {
  const signatureBytes = Buffer.alloc(8);
  signatureBytes.writeBigUInt64BE(BigInt(signature.length));
  writeFileSync(file, Buffer.concat([...parts, signature, signatureBytes]));
}

/** The settings that boxes look at bundles with. */
const boxConfig = join(root, 'overlays/rootfs/etc/rauc/system.conf');

/** Throws when a box that believes the signer would refuse the bundle, which is removed then. */
function requireTrusted({ bundle, signer, folder, tools }: SealOptions): void {
  const keyring = join(folder, 'keyring.pem');
  writeFileSync(keyring, signer.certificate);
  try {
    const words = [`--conf=${boxConfig}`, `--keyring=${keyring}`, 'info', bundle];
    tools.run('rauc', words, [dirname(bundle), folder, dirname(boxConfig)]);
  } catch (cause) {
    rmSync(bundle);
    const { validFrom, validTo } = certificateOf(signer);
    const dates = `the certificate is valid from ${validFrom} to ${validTo}, the bundle signed as of ${signingTime(signer)}`;
    const said = String(cause instanceof Error ? cause.message : cause)
      .trim()
      .split('\n')
      .at(-1)
      ?.trim();
    throw new Error(`no box would take this bundle: ${said}; ${dates}`, { cause });
  } finally {
    rmSync(keyring);
  }
}

/** When the bundle says that it was signed, in UTC: the same in each build. */
function signingTime(signer: Signer): string {
  const time = new Date(Math.max(sourceDateEpoch * 1000, Date.parse(certificateOf(signer).validFrom)));
  return time.toISOString().slice(0, 19).replace('T', ' ');
}

/** The one that signs; boxes may know whoever issued it. */
function certificateOf({ certificateFile }: Signer): X509Certificate {
  return new X509Certificate(readFileSync(certificateFile));
}

/** Takes a bundle apart. */
function openBundle(
  bundle: string,
  folder: string,
  tools: ImageTools,
): { readonly content: Buffer; readonly tree: Buffer; readonly manifest: string } {
  const bytes = readFileSync(bundle);
  const end = bytes.length - 8;
  const begin = end - Number(bytes.readBigUInt64BE(end));
  const signature = join(folder, 'bundle.cms');
  writeFileSync(signature, bytes.subarray(begin, end));
  const reading = ['cms', '-verify', '-noverify', '-binary', '-inform', 'DER', '-in', signature];
  const manifest = tools.run('openssl', reading, [folder]);
  rmSync(signature);
  const treeBytes = Number(/^verity-size=(\d+)$/m.exec(manifest)?.[1]);
  if (!(treeBytes > 0)) throw new Error(`${bundle}: not a bundle of format verity`);
  const contentBytes = begin - treeBytes;
  return { content: bytes.subarray(0, contentBytes), tree: bytes.subarray(contentBytes, begin), manifest };
}

function sign(manifest: string, { signer, folder, tools }: Omit<SealOptions, 'bundle'>): Buffer {
  const input = join(folder, 'manifest.sealed');
  const output = join(folder, 'bundle.cms');
  writeFileSync(input, manifest);
  const signing = ['cms', '-sign', '-binary', '-nodetach', '-nosmimecap', '-md', 'sha256', '-outform', 'DER'];
  const files = ['-signer', signer.certificateFile, '-inkey', signer.keyFile, '-in', input, '-out', output];
  tools.run(
    'faketime',
    ['-f', signingTime(signer), 'openssl', ...signing, ...files],
    [folder, dirname(signer.keyFile), dirname(signer.certificateFile)],
    { env: { TZ: 'UTC' } },
  );
  const signature = readFileSync(output);
  for (const file of [input, output]) rmSync(file);
  return signature;
}
