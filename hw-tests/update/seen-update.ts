import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';

/** What the console tells of updates. */
interface SeenUpdate {
  readonly state: string;
  readonly version: string | null;
  readonly reason: string | null;
  readonly progressPercent: number | null;
}

export async function updateOf({ target }: Scene): Promise<SeenUpdate> {
  const { update } = await target.console.json<{ readonly update: SeenUpdate }>('status');
  return update;
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

/** Has the console begin to install what is staged, once the system that runs has shown that it works. */
export async function beginInstallation(scene: Scene): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(180_000);
  for (;;) {
    const said = await scene.target.console.dangerousCommand('update install', { timeoutMs: 60_000 });
    if (!said.some((line) => /has not shown yet/.test(line))) return;
    assert.ok(performance.now() < endMs, said.join(' '));
    await delay(5000);
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

/** The same once the box has asked its installer, which is some seconds after it serves; `none` only after a minute. */
export async function knownUpdate(scene: Scene): Promise<SeenUpdate> {
  const endMs = performance.now() + scene.patienceMs(60_000);
  for (;;) {
    const update = await updateOf(scene);
    if (update.state !== 'none' || performance.now() > endMs) return update;
    await delay(1000);
  }
}
