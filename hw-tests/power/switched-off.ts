import assert from 'node:assert/strict';
import { seenRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';

/** Resolves when the box has switched itself off, as people are told, and has no power any more. */
export async function switchedOff(scene: Scene, startMs: number): Promise<string> {
  const { target } = scene;
  await target.power.switchedOff(scene.patienceMs(120_000));
  const seconds = (performance.now() - startMs) / 1000;
  assert.equal(await seenRhythm(target.lights, 1000), 'safe to unplug');
  await target.power.off();
  return `off after ${seconds.toFixed(1)} s, both lights dark`;
}
