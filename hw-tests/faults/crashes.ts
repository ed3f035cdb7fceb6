import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { killProgram } from '../kill-program.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { safeModeSays } from './seen-safe-mode.ts';

/** As aetherstore.service has it: StartLimitBurst, RestartSteps, and RestartMaxDelaySec in units of RestartSec. */
const crashesMax = 5;
const [restartSteps, longestPause] = [5, 30];
/** From one crash to the next, seconds: the unit's pause (systemd.service(5), RestartSteps), and its program's own time. */
const pausesSeconds = Array.from(
  { length: crashesMax - 1 },
  (_, index) => longestPause ** (index / restartSteps),
);
/** Timers are never early; what a start takes beside its pause is up to the machine. */
const startMsMax = 15_000;

export const crashesEndInSafeMode: HardwareTest = {
  name: 'a program that crashes five times, after longer and longer pauses, runs in safe mode, says so, and a restart tries the machine anew',
  needs: ['root shell', 'power'],
  run: async (scene) => {
    await scene.serving();
    const { root, console } = scene.target;
    await killProgram(root, ['ExecStart=', 'ExecStart=/bin/false']);
    const startMs = performance.now();
    const said = await safeModeSays(scene, /its program failed five times/);
    const seconds = (performance.now() - startMs) / 1000;
    const pauses = await pausesBetweenCrashes(scene);
    for (const [index, pause] of pauses.entries()) {
      const expected = pausesSeconds[index]!;
      const latest = expected + scene.patienceMs(startMsMax) / 1000;
      assert.ok(pause > 0.98 * expected && pause < latest, `pauses of ${inSeconds(pauses)} s`);
    }
    await console.lastCommand('restart');
    await delay(2000);
    await scene.waitUntilServing();
    return `after ${seconds.toFixed(0)} s, with ${inSeconds(pauses)} s from crash to crash: ${said}`;
  },
};

/** Seconds from each end of the program to the next, in this start of the machine, as the system has noted them. */
async function pausesBetweenCrashes({ target: { root } }: Scene): Promise<readonly number[]> {
  const journal = 'journalctl --no-pager -b -u aetherstore.service -o short-monotonic';
  const said = await root.run(`${journal} | grep 'Main process exited'`);
  const atSeconds = [...said.matchAll(/^\[ *([\d.]+)\]/gm)].map(([, seconds]) => Number(seconds));
  assert.equal(atSeconds.length, crashesMax, said);
  return atSeconds.slice(1).map((seconds, index) => seconds - atSeconds[index]!);
}

function inSeconds(pauses: readonly number[]): string {
  return pauses.map((pause) => pause.toFixed(1)).join(', ');
}
