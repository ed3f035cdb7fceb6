import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { untilUpdate, updateOf } from './seen-update.ts';
import { goodVersion, variant } from './variants.ts';

const minuteMs = 60_000;
/** From sending to the hour, at least: one that is already being installed shows nothing. */
const aheadMs = 45_000;
const sendTimeoutMs = 10 * minuteMs;

export const hourIsKept: HardwareTest = {
  name: 'one that is sent for an hour waits until then, and is installed without anybody',
  needs: ['disks', 'power', 'updates'],
  minutes: 2,
  run: async (scene) => {
    await scene.claimed();
    const bundle = await variant(scene, goodVersion);
    // A box that was brought back to a moment has the clock of then until it asks for the time.
    await scene.powerCycle();
    const name = await scene.target.console.greet();
    const { atMs, hour } = await sendForSoon(scene, name, bundle);
    assert.ok(Date.now() < atMs, 'it took longer to send than until that hour');
    assert.equal((await updateOf(scene)).state, 'staged');
    await untilUpdate(scene, 'installing', atMs - Date.now() + minuteMs);
    const late = (Date.now() - atMs) / 1000;
    // The clocks of two machines.
    assert.ok(late > -1, `it began ${-late} s before its hour`);
    return `sent for ${hour}, seen to be installed ${late.toFixed(0)} s after it`;
  },
};

/** Sends it for one of the next minutes, again and again while the box, which has just started, has no installer yet. */
async function sendForSoon(
  scene: Scene,
  box: string,
  bundle: string,
): Promise<{ readonly atMs: number; readonly hour: string }> {
  const endMs = performance.now() + scene.patienceMs(sendTimeoutMs);
  for (;;) {
    const atMs = Math.ceil((Date.now() + scene.patienceMs(aheadMs)) / minuteMs) * minuteMs;
    const hour = new Date(atMs).toTimeString().slice(0, 5);
    const options = { timeoutMs: scene.patienceMs(sendTimeoutMs), mayFail: true };
    const sent = await scene.aether.run(['update', box, bundle, '--at', hour], options);
    if (sent.stdout.includes(`installed at ${hour}`)) return { atMs, hour };
    assert.match(sent.stderr, /UPDATER_UNAVAILABLE/);
    assert.ok(performance.now() < endMs, sent.stderr);
    await delay(2000);
  }
}
