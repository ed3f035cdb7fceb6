import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { developmentSigner, makeCertificate, type Signer } from '../../firmware/bundle/signer.ts';
import { ImageTools } from '../../firmware/stages/tools.ts';
import type { Scene } from '../scene.ts';

const sendTimeoutMs = 300_000;
const startingMs = 60_000;

/** What another bundle is made of. */
export interface Source {
  /** The file of the bundle whose version runs. */
  readonly bundle: string;
  /** Where the other one goes. */
  readonly output: string;
  readonly folder: string;
  readonly signer: Signer;
  readonly tools: ImageTools;
}

export function sourceOf(scene: Scene): Source {
  const say = () => {};
  const folder = scene.folder('bundle');
  return {
    bundle: scene.target.updates.bundle(),
    output: join(folder, 'made.raucb'),
    folder,
    signer: developmentSigner(say),
    tools: ImageTools.open(say),
  };
}

/** A signer whose certificate is issued by the development key's, which boxes of development trust, for this time. */
export function issued({ folder, signer }: Source, from: string, until: string): Signer {
  const keyFile = join(folder, 'issued.key.pem');
  const certificateFile = join(folder, 'issued.cert.pem');
  makeCertificate(keyFile, certificateFile, { name: 'Issued', issuer: signer, from, until });
  return { keyFile, certificateFile, certificate: signer.certificate };
}

/**
 * Sends a bundle, which the box stages or refuses; nothing is installed. Tries again where the box says that its updater
 * is still starting, as a person is told to. Resolves with what the person is told in the end.
 */
export async function send(
  scene: Scene,
  box: string,
  bundle: string,
  ...more: readonly string[]
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const options = { timeoutMs: scene.patienceMs(sendTimeoutMs), mayFail: true };
  const words = ['update', box, bundle, '--later', ...more];
  for (const endMs = performance.now() + scene.patienceMs(startingMs); ; await delay(1000)) {
    const { exitCode, stdout, stderr } = await scene.aether.run(words, options);
    const isStarting = stderr.includes('UPDATER_UNAVAILABLE');
    if (!isStarting || performance.now() > endMs) return { exitCode, output: `${stdout}${stderr}` };
  }
}
