import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from './scene.ts';

/**
 * Resolves when what the box says of its condition is what is awaited, with what `look` found there; rejects after two
 * minutes with what it says instead.
 */
export async function untilConditions<T>(
  scene: Scene,
  look: (messages: readonly string[]) => T | false | undefined,
): Promise<T> {
  const endMs = performance.now() + scene.patienceMs(120_000);
  for (;;) {
    const messages = (await scene.status()).conditions.map(({ message }) => message);
    const found = look(messages);
    if (found !== undefined && found !== false) return found;
    assert.ok(performance.now() < endMs, `the box says: ${messages.join(' ')}`);
    await delay(1000);
  }
}
