import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { shutdownMs } from '../../src/device/button/button-machine.ts';
import { seenRhythm, waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { firstStartMayBeCut } from './first-start.ts';

const program = 'systemctl show --property MainPID --value aetherstore.service';

const hungProgramIsBitten: HardwareTest = {
  name: 'a program that hangs is ended by its watchdog and started again',
  needs: ['root shell'],
  run: async (scene) => {
    await scene.serving();
    const before = await scene.target.root.run(program);
    assert.match(before, /^[1-9]\d*$/);
    await scene.target.root.run(`kill -STOP ${before}`);
    const startMs = performance.now();
    for (;;) {
      const now = await scene.target.root.run(program);
      if (now !== before && now !== '0') break;
      assert.ok(performance.now() - startMs < scene.patienceMs(180_000), 'it still hangs');
      await delay(1000);
    }
    const bitten = (performance.now() - startMs) / 1000;
    await scene.waitUntilServing();
    await scene.status();
    const all = (performance.now() - startMs) / 1000;
    assert.equal(scene.target.power.restarts(), 0, 'the whole machine was started again');
    return `bitten after ${bitten.toFixed(0)} s, serving after ${all.toFixed(0)} s, the machine stayed up`;
  },
};

const hungSystemIsBitten: HardwareTest = {
  name: 'a system that hangs is started again by the hardware',
  needs: ['root shell', 'power', 'watchdog'],
  run: async (scene) => {
    await scene.serving();
    await scene.target.root.run('test -c /dev/watchdog0');
    // A kernel that panicked and, unlike ours, does not start again by itself: nobody feeds the watchdog.
    await scene.target.root.run('echo 0 >/proc/sys/kernel/panic && grep -qx 0 /proc/sys/kernel/panic');
    await scene.target.root.run('(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 & true');
    const startMs = performance.now();
    while (scene.target.power.restarts() === 0) {
      assert.ok(performance.now() - startMs < scene.patienceMs(180_000), 'the hardware has not bitten');
      await delay(500);
    }
    const bitten = (performance.now() - startMs) / 1000;
    await scene.waitUntilServing();
    return `reset after ${bitten.toFixed(0)} s, serving ${((performance.now() - startMs) / 1000).toFixed(0)} s after the hang`;
  },
};

const consoleShutsDown: HardwareTest = {
  name: 'shutdown by the console ends with dark lights and no power drawn',
  needs: ['lights', 'power'],
  run: async (scene) => {
    await scene.serving();
    const startMs = performance.now();
    await scene.target.console.lastCommand('shutdown');
    return switchedOff(scene, startMs);
  },
};

const buttonShutsDown: HardwareTest = {
  name: 'the button held for 5 s shuts down, and the lights say when to let go',
  needs: ['lights', 'button', 'power'],
  run: async (scene) => {
    await scene.serving();
    const { lights, button } = scene.target;
    // One that is pressed when the program begins to look at it means a factory reset.
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

export const power: Suite = {
  name: 'power',
  minutes: 6,
  tests: [consoleShutsDown, buttonShutsDown, hungProgramIsBitten, hungSystemIsBitten, firstStartMayBeCut],
};

async function switchedOff(scene: Scene, startMs: number): Promise<string> {
  const { target } = scene;
  await target.power.switchedOff(scene.patienceMs(120_000));
  const seconds = (performance.now() - startMs) / 1000;
  assert.equal(await seenRhythm(target.lights, 1000), 'safe to unplug');
  await target.power.off();
  return `off after ${seconds.toFixed(1)} s, both lights dark`;
}
