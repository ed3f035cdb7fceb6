import { join } from 'node:path';
import type { Scene } from '../scene.ts';

const pageMs = 120_000;

/**
 * Uses the box's page as somebody does who has logged in. Resolves with its overview, or with what is answered when
 * `deed`, the file of a bundle, is sent there, or when the button is pressed that installs it.
 */
export async function usePage(scene: Scene, deed?: string): Promise<string> {
  const { console, network } = scene.target;
  const [entry] = await scene.aether.json(['web', await console.greet()]);
  const program = join(import.meta.dirname, 'use-page.ts');
  const words = [
    program,
    await network.address(),
    String(entry?.code),
    ...(deed === undefined ? [] : [deed]),
  ];
  const { stdout } = await network.desktop.run(process.execPath, words, {
    timeoutMs: scene.patienceMs(pageMs),
  });
  return stdout;
}
