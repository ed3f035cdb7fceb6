import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import { killProgram } from '../kill-program.ts';
import { type RhythmName, seenRhythm, waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import { makeSmallTree } from '../storage/small-tree.ts';
import type { HardwareTest, Suite } from '../suite.ts';

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
    const seen: string[] = [];
    while (seen.at(-1) !== 'not claimed') {
      const rhythm = await seenRhythm(target.lights, 2500);
      if (rhythm !== seen.at(-1)) seen.push(rhythm);
      assert.ok(performance.now() - startMs < scene.patienceMs(300_000), `only ${seen.join(', then ')}`);
    }
    const named = seen.filter((rhythm) => !rhythm.startsWith('no known'));
    assert.ok(named.includes('booting'), seen.join(', then '));
    return named.join(', then ');
  },
};

const alone: HardwareTest = {
  name: 'a box with disks and a pool of its own is healthy, or says by its code that files are kept once',
  needs: ['lights', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    await delay(3000);
    return expectWhatConsoleSays(scene);
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
    await scene.target.console.command('identify');
    assert.equal(await seenRhythm(lights, 3000), 'identify');
    await scene.target.console.command('identify off');
    const ms = await waitForRhythm(lights, 'not claimed', scene.patienceMs(30_000));
    return `as before ${(ms / 1000).toFixed(0)} s after the word off`;
  },
};

const diskGone: HardwareTest = {
  name: 'a disk that is pulled is told by the lights and by the console',
  needs: ['lights', 'disks', 'root shell'],
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('pulled');
    makeSmallTree(join(folder, 'tree'), 'pulled', [100_000, 2_000_000]);
    await scene.aether.run(['put', join(folder, 'tree')], { timeoutMs: scene.patienceMs(300_000) });
    const before = await scene.status();
    await scene.target.disks.detach(scene.disks[1]!);
    const startMs = performance.now();
    await untilConditions(scene, (messages) => messages.length > before.conditions.length);
    const seconds = (performance.now() - startMs) / 1000;
    return `told after ${seconds.toFixed(0)} s: ${await expectWhatConsoleSays(scene)}`;
  },
};

const diskBack: HardwareTest = {
  name: 'a disk that was pulled and comes back is used again, as if it had never been away',
  needs: ['lights', 'disks', 'same disk'],
  run: async (scene) => {
    await scene.claimed();
    const { disks } = scene.target;
    const folder = scene.folder('back');
    makeSmallTree(join(folder, 'before'), 'before', [100_000, 2_000_000]);
    await scene.aether.run(['put', join(folder, 'before')], { timeoutMs: 300_000 });
    const before = await scene.status();
    const disk = scene.disks[1]!;
    await disks.detach(disk);
    await untilConditions(scene, (messages) => messages.length > before.conditions.length);
    await disks.attachAgain(disk);
    const startMs = performance.now();
    await untilConditions(scene, (messages) => messages.length <= before.conditions.length);
    const seconds = (performance.now() - startMs) / 1000;
    const working = (await scene.target.console.command('disks')).filter((line) => /^\S+ +ok /.test(line));
    assert.equal(working.length, 2, working.join(' / '));
    // Whatever of both trees lies on that disk is read from it, and written to it.
    makeSmallTree(join(folder, 'after'), 'after', [100_000, 2_000_000]);
    await scene.aether.run(['put', join(folder, 'after')], { timeoutMs: 300_000 });
    for (const name of ['before', 'after']) {
      const back = join(folder, 'got');
      mkdirSync(back, { recursive: true });
      await scene.aether.run(['get', `/${name}`, back], { timeoutMs: 300_000 });
      assert.deepEqual(await differentContents(join(folder, name), join(back, name)), []);
    }
    return `used again after ${seconds.toFixed(0)} s: ${await expectWhatConsoleSays(scene)}`;
  },
};

const atWork: HardwareTest = {
  name: 'while a disk is emptied they say that the box is at work',
  needs: ['lights', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('work');
    makeSmallTree(join(folder, 'tree'), 'work', Array<number>(8).fill(10_000_000));
    await scene.aether.run(['put', join(folder, 'tree')], { timeoutMs: scene.patienceMs(300_000) });
    const { console, lights } = scene.target;
    const name = (await console.command('disks')).map((line) => /^(\S+) +ok /.exec(line)?.[1]).find(Boolean);
    const [ms] = await Promise.all([
      waitForRhythm(lights, 'working', scene.patienceMs(30_000)),
      console.dangerousCommand(`disks retire ${name}`, { timeoutMs: 120_000 }),
    ]);
    await untilConditions(scene, (messages) => messages.some((text) => text.includes('may be pulled')));
    return `seen ${(ms / 1000).toFixed(0)} s after it was asked to; then: ${await expectWhatConsoleSays(scene)}`;
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
  minutes: 4,
  tests: [identified, eachWired, programGone, alone, diskGone, diskBack, atWork, whileStarting],
};

/** What the console says of the lights is what they do. */
async function expectWhatConsoleSays(scene: Scene): Promise<string> {
  const { target } = scene;
  const lines = await target.console.command('status');
  const said =
    lines.map((line) => /^ +lights +(.*)$/.exec(line)?.[1]).find((text) => text !== undefined) ?? '';
  const flashes = /with (\d) flash/.exec(said)?.[1];
  const named: Readonly<Record<string, RhythmName>> = {
    'green on, amber off': 'healthy',
    'green on, amber pulses': 'working',
    'green off, amber on': 'needs a person',
    'green off, amber flashes in threes': 'data at risk',
  };
  const expected =
    flashes === undefined
      ? named[said]
      : (`needs a person, ${flashes} ${flashes === '1' ? 'flash' : 'flashes'}` as RhythmName);
  assert.ok(expected !== undefined, `the console says of the lights: "${said}"`);
  await waitForRhythm(target.lights, expected, scene.patienceMs(30_000));
  return `${expected}: ${lines[0]}`;
}
