import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { factoryResetMs, shutdownMs } from '../../src/device/button/button-machine.ts';
import { seenRhythm, waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { switchedOff } from './switched-off.ts';

export const buttonShutsDown: HardwareTest = {
  name: 'the button held for 5 s shuts down, and the lights say when to let go',
  needs: ['lights', 'button', 'power'],
  run: async (scene) => {
    await scene.serving();
    const { lights, button } = scene.target;
    await waitForRhythm(lights, 'not claimed', scene.patienceMs(60_000));
    const seen: string[] = [];
    const pressedMs = performance.now();
    await button.press();
    while (seen.at(-1) !== 'button at shutdown') {
      seen.push(await seenRhythm(lights, 800));
      assert.ok(performance.now() - pressedMs < scene.patienceMs(30_000), seen.join(', then '));
    }
    const startMs = performance.now();
    await button.release();
    assert.ok(startMs - pressedMs >= shutdownMs, `let go after ${startMs - pressedMs} ms`);
    assert.ok(seen.includes('button pressed'), seen.join(', then '));
    return switchedOff(scene, startMs);
  },
};

export const buttonResets: HardwareTest = {
  name: 'held while the program starts again the button means nothing; held from power-on it resets the box',
  needs: ['lights', 'button', 'power', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    const seen = await holdWhileItStartsAgain(scene);
    assert.notEqual((await scene.status()).pool, null, 'the box was reset');
    const { power, lights, button } = scene.target;
    await power.off();
    await power.on();
    await button.press();
    await waitForRhythm(lights, 'button pressed', scene.patienceMs(180_000));
    // Faster than what is told apart: both flicker.
    await waitForRhythm(lights, 'identify', scene.patienceMs(60_000));
    await button.release();
    scene.forgetPerson();
    await waitForRhythm(lights, 'not claimed', scene.patienceMs(180_000));
    assert.equal((await scene.status()).pool, null);
    return `while it was held, the lights said: ${seen}; from power-on it belongs to nobody then`;
  },
};

/** Long enough for every deed of the button; returns what the lights showed. */
async function holdWhileItStartsAgain(scene: Scene): Promise<string> {
  const { lights, button, console } = scene.target;
  const typedMs = performance.now();
  await button.press();
  await console.lastCommand('restart');
  await scene.untilBegunSince(typedMs);
  const endMs = performance.now() + factoryResetMs + 2000;
  const seen = new Set<string>();
  while (performance.now() < endMs) seen.add(await seenRhythm(lights, 2500));
  await button.release();
  await delay(2000);
  for (const each of seen) assert.doesNotMatch(each, /button|unplug|identify/);
  return [...seen].join(', ');
}
