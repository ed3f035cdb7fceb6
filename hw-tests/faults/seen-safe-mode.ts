import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';

/** Five crashes, with longer and longer pauses between. */
const safeModeMs = 240_000;

/** Waits for the console and the lights of safe mode. Returns what the console says. */
export async function safeModeSays(scene: Scene, reason: RegExp): Promise<string> {
  const { target } = scene;
  const endMs = performance.now() + scene.patienceMs(safeModeMs);
  for (;;) {
    const lines = await target.console.command('status', { timeoutMs: safeModeMs }).catch(() => ['']);
    // The console breaks lines where its terminal ends.
    const said = reason.exec(lines.map((line) => line.trim()).join(' '))?.[0];
    if (said !== undefined) {
      if (target.capabilities.lights === true)
        await waitForRhythm(target.lights, 'needs a person, 8 flashes', scene.patienceMs(30_000));
      return said;
    }
    assert.ok(performance.now() < endMs, `the console says: ${lines.join(' / ')}`);
    await delay(2000);
  }
}
