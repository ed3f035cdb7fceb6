import assert from 'node:assert/strict';
import { waitForRhythm } from '../light-track.ts';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest } from '../suite.ts';
import { Trees } from './trees.ts';

const startsMs = 120_000;
const cutOff = /is connected to no network|has no network address/;

export const startsWithoutNetwork: HardwareTest = {
  name: 'a box that starts without its network cable says so, and gives what it holds once it is plugged in',
  needs: ['power', 'cable', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    const { power, network, console, lights, capabilities } = scene.target;
    const trees = new Trees(scene);
    await trees.put('before');
    await power.off();
    console.skip();
    await power.on();
    // Before its kernel looks at the link.
    await network.cable(false);
    await console.waitFor(/boot: slot \w/, startsMs);
    const said = await untilConditions(scene, (messages) => messages.find((text) => cutOff.test(text)));
    assert.equal(await scene.isServing(), false, 'its cable is not out');
    if (capabilities.lights === true)
      await waitForRhythm(lights, 'needs a person, 1 flash', scene.patienceMs(30_000));
    await network.cable(true);
    const startMs = performance.now();
    await scene.waitUntilServing();
    const seconds = (performance.now() - startMs) / 1000;
    await untilConditions(scene, (messages) => !messages.some((text) => cutOff.test(text)));
    await trees.compare();
    return `${said} Plugged in it serves after ${seconds.toFixed(0)} s`;
  },
};
