import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import { untilDisksWork, volumesOf } from '../storage/seen-volumes.ts';
import type { HardwareTest } from '../suite.ts';
import { Trees } from './trees.ts';

/** A put goes to both disks, as long as both are there. */
const treeSizes = [10, 300_000, 900_000, 1_500_000, 2_000_000, 2_500_000];
/** A system that cannot be stopped is stopped by its watchdog. */
const restartMs = 600_000;
/** One that answers again is looked at once a minute. */
const backMs = 180_000;
const silent = /has not answered for 20 seconds/;

const isGivenUp: HardwareTest = {
  name: 'a disk that hangs holds up nobody for long: it is given up, said so, and used again when it answers',
  needs: ['disks', 'disks that hang'],
  run: async (scene) => {
    await scene.claimed();
    const trees = new Trees(scene, treeSizes);
    await trees.put('before');
    await scene.target.disks.answers(scene.disks[0]!, false);
    const restarts = scene.target.power.restarts();
    const { uptimeMs } = (await scene.status()).box;
    const { result: seconds, longestMs } = await whileAsking(scene, () => trees.put('meanwhile'));
    // Had its program stood still, the watchdog would have begun it anew.
    assert.equal(scene.target.power.restarts(), restarts);
    assert.ok((await scene.status()).box.uptimeMs > uptimeMs + seconds * 900, 'its program began anew');
    const told = () => untilConditions(scene, (messages) => messages.find((text) => silent.test(text)));
    const said = await told();
    const askedMs = performance.now();
    await scene.target.console.lastCommand('restart');
    // The program that ends serves on for a while, and knows of the disk already.
    await scene.untilBegunSince(askedMs);
    await told();
    await scene.target.disks.answers(scene.disks[0]!, true);
    const startMs = performance.now();
    await untilDisksWork(scene, 2, backMs);
    const back = (performance.now() - startMs) / 1000;
    await trees.compare();
    return `${said} A put took ${seconds.toFixed(0)} s, an answer of the console ${(longestMs / 1000).toFixed(1)} s at most; in use again after ${back.toFixed(0)} s`;
  },
};

const isNoHindrance: HardwareTest = {
  name: 'a program that cannot be killed, for a disk that hangs, is got rid of: the box starts, and serves without the disk',
  needs: ['disks', 'disks that hang', 'root shell', 'watchdog'],
  minutes: 3,
  run: async (scene) => {
    await scene.claimed();
    const trees = new Trees(scene, treeSizes);
    await trees.put('before');
    await scene.target.disks.answers(scene.disks[0]!, false);
    await trees.put('meanwhile');
    const { power, root } = scene.target;
    const since = secondsSince();
    const restarts = power.restarts();
    await root.run('systemctl kill --signal=KILL aetherstore.service');
    await untilRestarted(scene, restarts);
    const stopped = since();
    await scene.waitUntilServing();
    const serving = since();
    await untilOneWorks(scene);
    await trees.put('after');
    await scene.target.disks.answers(scene.disks[0]!, true);
    await untilDisksWork(scene, 2, backMs);
    await trees.compare();
    return `started again ${stopped} s after it was killed, serving after ${serving} s`;
  },
};

const isNotWaitedFor: HardwareTest = {
  name: 'a box whose disk hangs from the start serves without it, and starts again when it is told to',
  needs: ['disks', 'disks that hang', 'root shell', 'power'],
  minutes: 4,
  run: async (scene) => {
    await scene.claimed();
    const { power, root } = scene.target;
    const trees = new Trees(scene, treeSizes);
    const disk = scene.disks[0]!;
    await trees.put('before');
    await power.off();
    await power.on();
    // Before its kernel looks at the disk.
    await scene.target.disks.answers(disk, false);
    await scene.waitUntilServing();
    await untilOneWorks(scene);
    await trees.put('meanwhile');
    const restarts = power.restarts();
    const since = secondsSince();
    // As an update does it; a moment later, for the shell is among what is stopped.
    await root.run('(sleep 1; systemctl start aetherstore-reboot.service) >/dev/null 2>&1 & true');
    await untilRestarted(scene, restarts);
    const restarted = since();
    await scene.waitUntilServing();
    const serving = since();
    await scene.target.disks.answers(disk, true);
    await untilDisksWork(scene, 2, backMs);
    await trees.compare();
    return `started again ${restarted} s after it was told, serving after ${serving} s`;
  },
};

export const hangingDisk: readonly HardwareTest[] = [isGivenUp, isNoHindrance, isNotWaitedFor];

function secondsSince(): () => string {
  const startMs = performance.now();
  return () => ((performance.now() - startMs) / 1000).toFixed(0);
}

async function untilRestarted(scene: Scene, restarts: number): Promise<void> {
  const startMs = performance.now();
  while (scene.target.power.restarts() === restarts) {
    assert.ok(performance.now() - startMs < scene.patienceMs(restartMs), 'it does not start again');
    await delay(500);
  }
}

/** Does something while the console is asked again and again; tells how long its slowest answer took. */
async function whileAsking<T>(
  scene: Scene,
  deed: () => Promise<T>,
): Promise<{ readonly result: T; readonly longestMs: number }> {
  let asking = true;
  let longestMs = 0;
  const askAll = async () => {
    while (asking) {
      const startMs = performance.now();
      await scene.target.console.command('status');
      longestMs = Math.max(longestMs, performance.now() - startMs);
      await delay(300);
    }
  };
  const done = deed().finally(() => {
    asking = false;
  });
  const [result] = await Promise.all([done, askAll()]);
  return { result, longestMs };
}

/** The other disk may be found late: the kernel asks one after the other. */
async function untilOneWorks(scene: Scene): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(60_000);
  for (;;) {
    const states = (await volumesOf(scene)).map(({ state }) => state);
    if (states.includes('ok')) return;
    assert.ok(performance.now() < endMs, `its disks: ${states.join(', ')}`);
    await delay(1000);
  }
}
