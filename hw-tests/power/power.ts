import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { HardwareTest, Suite } from '../suite.ts';
import { buttonResets, buttonShutsDown } from './button.ts';
import { firstStartMayBeCut } from './first-start.ts';
import { switchedOff } from './switched-off.ts';

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

export const power: Suite = {
  name: 'power',
  tests: [
    consoleShutsDown,
    buttonShutsDown,
    hungProgramIsBitten,
    hungSystemIsBitten,
    firstStartMayBeCut,
    buttonResets,
  ],
};
