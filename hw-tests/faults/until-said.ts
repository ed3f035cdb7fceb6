import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';

const timeoutMs = 60_000;

/** Resolves with what a command of the root shell says when that is what is awaited; rejects after a minute. */
export async function untilSaid(scene: Scene, command: string, awaited: RegExp): Promise<string> {
  const endMs = performance.now() + scene.patienceMs(timeoutMs);
  for (;;) {
    const said = await scene.target.root.run(`${command} 2>&1 || true`);
    if (awaited.test(said)) return said;
    assert.ok(performance.now() < endMs, `${command} says: ${said}`);
    await delay(1000);
  }
}
