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

/** The same once the box has asked its installer, which is some seconds after it serves; `none` only after a minute. */
export async function knownUpdate(scene: Scene): Promise<SeenUpdate> {
  const endMs = performance.now() + scene.patienceMs(60_000);
  for (;;) {
    const update = await updateOf(scene);
    if (update.state !== 'none' || performance.now() > endMs) return update;
    await delay(1000);
  }
}
