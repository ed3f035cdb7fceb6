import type { Scene } from '../scene.ts';
import { makeVariant } from './bundles.ts';

/** Newer than any that is made. */
export const goodVersion = '99.0.0+dev';
/** Newer still. */
export const badVersion = '99.0.1+dev';

const made = new Map<string, Promise<string>>();

/** Made once: packing takes a while. */
export function variant(scene: Scene, version: typeof goodVersion | typeof badVersion): Promise<string> {
  const bundle = scene.target.updates.bundle();
  const making =
    made.get(version) ??
    makeVariant({
      bundle,
      folder: scene.folder(`bundle-${version}`),
      version,
      fails: version === badVersion,
    });
  made.set(version, making);
  return making;
}
