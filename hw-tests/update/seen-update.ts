import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOptions } from '../box-console.ts';
import type { Scene } from '../scene.ts';

/** What the console tells of updates. */
interface SeenUpdate {
  readonly state: string;
  readonly version: string | null;
  readonly reason: string | null;
  readonly progressPercent: number | null;
}

/** What it tells of the box with an update. */
interface SeenBox {
  readonly box: { readonly version: string };
  readonly update: SeenUpdate;
  readonly conditions: readonly { readonly code: string; readonly message: string }[];
}

export function seenBox({ target }: Scene, options?: CommandOptions): Promise<SeenBox> {
  return target.console.json<SeenBox>('status', options);
}

export async function updateOf(scene: Scene): Promise<SeenUpdate> {
  return (await seenBox(scene)).update;
}

/** Resolves when updates are in this state. */
export async function untilUpdate(scene: Scene, state: string, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(timeoutMs);
  for (;;) {
    const update = await updateOf(scene);
    if (update.state === state) return;
    assert.ok(performance.now() < endMs, `of updates the console says: ${JSON.stringify(update)}`);
    await delay(2000);
  }
}

/**
 * Has the console begin to install what is staged, once the installer answers and the system that runs has shown that it
 * works.
 */
export async function beginInstallation(scene: Scene): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(180_000);
  for (;;) {
    const lines = await scene.target.console.dangerousCommand('update install', { timeoutMs: 60_000 });
    const said = lines.join(' ');
    if (said.includes('It is being installed')) return;
    assert.match(said, /has not shown yet|cannot be updated at the moment|updater does not answer/);
    assert.ok(performance.now() < endMs, said);
    await delay(1000);
  }
}

/** Resolves when the box runs this version; it starts again meanwhile. */
export async function untilVersion(scene: Scene, version: string, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(timeoutMs);
  for (;;) {
    const now = await scene.status().then(
      ({ box }) => box.version,
      (error: unknown) => String(error),
    );
    if (now === version) return;
    assert.ok(performance.now() < endMs, `of its version the console says: ${now}`);
    await delay(2000);
  }
}

/**
 * How a box is that has an update, once it has asked its installer, which is some seconds after it serves; without one
 * only after a minute.
 */
export async function knownBox(scene: Scene): Promise<SeenBox> {
  const endMs = performance.now() + scene.patienceMs(60_000);
  for (;;) {
    const seen = await seenBox(scene);
    if (seen.update.state !== 'none' || performance.now() > endMs) return seen;
    await delay(1000);
  }
}
