import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate, type Signer } from '../../firmware/bundle/signer.ts';
import type { Scene } from '../scene.ts';
import { makeVariant } from './bundles.ts';

/** Newer than any that is made. */
export const goodVersion = '99.0.0+dev';
/** Newer still. */
export const badVersion = '99.0.1+dev';

const made = new Map<string, Promise<string>>();
let next: Signer | undefined;

/**
 * Another version, signed by the key that boxes know, which takes updates of {@link nextSigner} only. Made once: packing
 * takes a while.
 */
export function variant(scene: Scene, version: typeof goodVersion | typeof badVersion): Promise<string> {
  const bundle = scene.target.updates.bundle();
  const making =
    made.get(version) ??
    makeVariant({
      bundle,
      folder: scene.folder(`bundle-${version}`),
      version,
      fails: version === badVersion,
      believes: nextSigner(scene).certificate,
    });
  made.set(version, making);
  return making;
}

/** Whose updates our variants take, and nobody else. */
export function nextSigner(scene: Scene): Signer {
  if (next !== undefined) return next;
  const folder = scene.folder('next-signer');
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  makeCertificate(keyFile, certificateFile, { name: 'Next' });
  next = { keyFile, certificateFile, certificate: readFileSync(certificateFile, 'utf8') };
  return next;
}
