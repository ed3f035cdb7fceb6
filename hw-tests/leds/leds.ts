import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import { identifyMs } from '../../src/base/face-limits.ts';
import { killProgram } from '../kill-program.ts';
import { seenRhythm, waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import { untilDisksWork, volumesOf } from '../storage/seen-volumes.ts';
import { makeSmallTree } from '../storage/small-tree.ts';
import type { HardwareTest, Suite } from '../suite.ts';

/** A put of these goes to both disks, as long as both are there. */
const treeSizes = [10, 300_000, 900_000, 1_500_000, 2_000_000, 2_500_000];
const transferMs = 300_000;

/** What a person sees while a box starts, by looking all the time. */
const whileStarting: HardwareTest = {
  name: 'from power to ready the lights are booting, then say that it belongs to nobody',
  needs: ['lights', 'power', 'card'],
  run: async (scene) => {
    const { target } = scene;
    await target.power.off();
    await target.network.dhcp(true);
    await target.card.flash();
    const startMs = performance.now();
    await target.power.on();
    const looks: string[] = [];
    while (looks.at(-1) !== 'not claimed') {
      looks.push(await seenRhythm(target.lights, scene.patienceMs(2500)));
      assert.ok(performance.now() - startMs < scene.patienceMs(300_000), `only ${looks.join(', then ')}`);
    }
    // A look across a change finds what is on one side of it, or no rhythm.
    const named = looks.filter((rhythm) => !rhythm.startsWith('no known')).filter(isNoStutter);
    const seen = named.filter((rhythm, index) => rhythm !== named[index - 1]);
    // The boot loader has no lights, and dark later would mean that the box may be unplugged.
    const lit = seen[0] === 'safe to unplug' ? seen.slice(1) : seen;
    assert.deepEqual(lit, ['booting', 'not claimed'], looks.join(', then '));
    return seen.join(', then ');
  },
};

/** One look at a light that stood still is a machine that is late: a state that lasts is seen twice, or is the first or last. */
function isNoStutter(rhythm: string, index: number, all: readonly string[]): boolean {
  const isOne = rhythm !== all[index - 1] && rhythm !== all[index + 1];
  return !isOne || rhythm === 'booting' || index === 0 || index === all.length - 1;
}

const alone: HardwareTest = {
  name: 'a box with disks and a pool of its own is healthy, by its lights and by what its console says of them',
  needs: ['lights', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    return untilLights(scene, 'healthy');
  },
};

const identified: HardwareTest = {
  name: 'identify on the console makes both lights fast, and off ends that',
  needs: ['lights'],
  changesNothing: true,
  run: async (scene) => {
    await scene.serving();
    const { lights } = scene.target;
    await waitForRhythm(lights, 'not claimed', scene.patienceMs(20_000));
    const startMs = performance.now();
    await scene.target.console.command('identify');
    await waitForRhythm(lights, 'identify', scene.patienceMs(20_000));
    await scene.target.console.command('identify off');
    const ms = await waitForRhythm(lights, 'not claimed', scene.patienceMs(30_000));
    assert.ok(performance.now() - startMs < identifyMs, 'it may have ended by itself');
    return `as before ${(ms / 1000).toFixed(0)} s after the word off`;
  },
};

const diskGone: HardwareTest = {
  name: 'a disk that is pulled is told by the lights and by the console',
  needs: ['lights', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    await putOnBothDisks(scene, scene.folder('pulled'), 'tree');
    await scene.target.disks.detach(scene.disks[1]!);
    const startMs = performance.now();
    const name = await untilConditions(scene, missingDisk);
    const seconds = (performance.now() - startMs) / 1000;
    const volumes = await volumesOf(scene);
    const states = volumes.map((volume) => [volume.name === name, volume.state]);
    assert.deepEqual(states.toSorted(), [
      [false, 'ok'],
      [true, 'missing'],
    ]);
    return `told after ${seconds.toFixed(0)} s: ${await untilLights(scene, 'data at risk')}`;
  },
};

const diskBack: HardwareTest = {
  name: 'a disk that was pulled and comes back is used again, as if it had never been away',
  needs: ['lights', 'disks', 'same disk'],
  run: async (scene) => {
    await scene.claimed();
    const { disks } = scene.target;
    const folder = scene.folder('back');
    await putOnBothDisks(scene, folder, 'before');
    const before = (await scene.status()).conditions.map(({ message }) => message);
    const disk = scene.disks[1]!;
    await disks.detach(disk);
    await untilConditions(scene, missingDisk);
    await disks.attachAgain(disk);
    const startMs = performance.now();
    await untilConditions(scene, (messages) => isDeepStrictEqual(messages, before));
    const seconds = (performance.now() - startMs) / 1000;
    await untilDisksWork(scene, 2);
    // Whatever of both trees lies on that disk is read from it, and written to it.
    const chunks = await chunksByDisk(scene);
    await putOnBothDisks(scene, folder, 'after');
    const more = await chunksByDisk(scene);
    assert.ok(
      [...chunks].every(([name, count]) => more.get(name)! > count),
      'one disk was given nothing',
    );
    for (const name of ['before', 'after']) {
      const back = join(folder, 'got');
      mkdirSync(back, { recursive: true });
      await scene.aether.run(['get', `/${name}`, back], { timeoutMs: scene.patienceMs(transferMs) });
      assert.deepEqual(await differentContents(join(folder, name), join(back, name)), []);
    }
    return `used again after ${seconds.toFixed(0)} s: ${await untilLights(scene, 'healthy')}`;
  },
};

const atWork: HardwareTest = {
  name: 'while a disk is emptied they say that the box is at work',
  needs: ['lights', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('work');
    // So much that a disk is not emptied before its rhythm can be told from others.
    makeSmallTree(join(folder, 'tree'), 'work', Array<number>(20).fill(10_000_000));
    await scene.aether.run(['put', join(folder, 'tree')], { timeoutMs: scene.patienceMs(transferMs) });
    const { console, lights } = scene.target;
    const name = (await console.command('disks')).map((line) => /^(\S+) +ok /.exec(line)?.[1]).find(Boolean);
    const [ms] = await Promise.all([
      waitForRhythm(lights, 'working', scene.patienceMs(30_000)),
      console.dangerousCommand(`disks retire ${name}`, { timeoutMs: 120_000 }),
    ]);
    const emptied = `Disk ${name} is empty and may be pulled.`;
    await untilConditions(scene, (messages) => messages.includes(emptied));
    return `seen ${(ms / 1000).toFixed(0)} s after it was asked to; then: ${await untilLights(scene, 'healthy')}`;
  },
};

const programGone: HardwareTest = {
  name: 'when the program dies the lights do not go on as if it lived',
  needs: ['lights', 'root shell'],
  run: async (scene) => {
    await scene.serving();
    const { root, lights } = scene.target;
    await waitForRhythm(lights, 'not claimed', scene.patienceMs(20_000));
    // Only a program that is started at once again is not seen to be dead.
    await killProgram(root, ['RestartSec=20']);
    const deadMs = await waitForRhythm(lights, 'program gone', scene.patienceMs(15_000));
    const ms = await waitForRhythm(lights, 'not claimed', scene.patienceMs(180_000));
    const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(0)} s`;
    return `the kernel's heartbeat on amber, told within ${seconds(deadMs)}; living again ${seconds(ms)} later`;
  },
};

const eachWired: HardwareTest = {
  name: 'each light is the one that its name says',
  needs: ['lights', 'root shell'],
  run: async (scene) => {
    await scene.serving();
    const { root, lights } = scene.target;
    await root.run('systemctl stop aetherstore.service', 60_000);
    for (const lit of ['green', 'amber', 'none', 'green amber']) {
      const set = (light: string) =>
        `echo ${lit.includes(light) ? 1 : 0} >/sys/class/leds/${light}:status/brightness`;
      await root.run(`${set('green')} && ${set('amber')}`);
      const { green, amber } = await lights.sample();
      assert.deepEqual([green, amber], [lit.includes('green'), lit.includes('amber')], lit);
    }
    return 'green, amber, none, both: as the kernel was told';
  },
};

export const leds: Suite = {
  name: 'leds',
  tests: [identified, eachWired, programGone, alone, diskGone, diskBack, atWork, whileStarting],
};

/** How the console says it when the lights show this. */
const saidOfLights = {
  healthy: 'green on, amber off',
  'data at risk': 'green off, amber flashes in threes',
} as const;

/** Resolves when the console says of the lights what they are to show, and they show it; with what it says of the box. */
async function untilLights(scene: Scene, name: keyof typeof saidOfLights): Promise<string> {
  const { console, lights } = scene.target;
  const endMs = performance.now() + scene.patienceMs(60_000);
  for (;;) {
    const lines = await console.command('status');
    const said = lines.map((line) => /^ +lights +(.*)$/.exec(line)?.[1]).find((text) => text !== undefined);
    if (said === saidOfLights[name]) {
      await waitForRhythm(lights, name, scene.patienceMs(30_000));
      return `${name}: ${lines[0]}`;
    }
    assert.ok(
      performance.now() < endMs,
      `the console says of the lights: "${said}"; of the box: ${lines[0]}`,
    );
    await delay(1000);
  }
}

/** Which disk the box says is not there. */
function missingDisk(messages: readonly string[]): string | undefined {
  const sentence = /^Disk (\S+) is not attached any more; the box goes on without it\.$/;
  return messages.map((text) => sentence.exec(text)?.[1]).find((name) => name !== undefined);
}

/** Puts a tree by this name, made in the folder; each disk holds some of what is stored then. */
async function putOnBothDisks(scene: Scene, folder: string, name: string): Promise<void> {
  makeSmallTree(join(folder, name), name, treeSizes);
  await scene.aether.run(['put', join(folder, name)], { timeoutMs: scene.patienceMs(transferMs) });
  const counts = [...(await chunksByDisk(scene)).values()];
  assert.ok(counts.length === 2 && !counts.includes(0), `pieces of data on the disks: ${counts.join(', ')}`);
}

async function chunksByDisk(scene: Scene): Promise<ReadonlyMap<string, number>> {
  return new Map((await volumesOf(scene)).map(({ name, chunkCount }) => [name, chunkCount]));
}
