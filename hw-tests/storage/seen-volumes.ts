import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';

/** What the console tells of one disk that the box has taken into use. */
interface SeenVolume {
  readonly name: string;
  readonly state: string;
  readonly chunkCount: number;
}

export async function volumesOf({ target }: Scene): Promise<readonly SeenVolume[]> {
  const { volumes } = await target.console.json<{ readonly volumes: readonly SeenVolume[] }>('status');
  return volumes;
}

/** Resolves when the box has so many disks and all of them work; rejects with what it has instead. */
export async function untilDisksWork(scene: Scene, count: number, timeoutMs = 60_000): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(timeoutMs);
  for (;;) {
    const volumes = await volumesOf(scene);
    if (volumes.length === count && volumes.every(({ state }) => state === 'ok')) return;
    const seen = volumes.map(({ name, state }) => `${name} ${state}`).join(', ') || 'none';
    assert.ok(performance.now() < endMs, `${count} disks that work were expected: ${seen}`);
    await delay(1000);
  }
}
