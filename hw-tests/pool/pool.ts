import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import type { Scene } from '../scene.ts';
import { makeSmallTree } from '../storage/small-tree.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { joinBox } from './join-box.ts';

const boxCount = 3;
const timeoutMs = 600_000;

const threeBoxes: HardwareTest = {
  name: `${boxCount} boxes on one switch form a pool; one is switched off, and every file is still there`,
  needs: ['more boxes', 'disks', 'power'],
  run: async (scene) => {
    await scene.claimed();
    const scenes = [scene];
    try {
      while (scenes.length < boxCount) scenes.push(await joinBox(scene));
      return await loseOne(scene, scenes);
    } finally {
      for (const { target } of scenes.slice(1)) await target.power.off();
    }
  },
};

export const pool: Suite = { name: 'pool', minutes: 2, tests: [threeBoxes] };

async function loseOne(scene: Scene, scenes: readonly Scene[]): Promise<string> {
  const folder = scene.folder('pool');
  const bytes = makeSmallTree(join(folder, 'tree'), 'pool', [0, 10_000, 262_145, 1_000_000, 4_000_000]);
  const put = await scene.aether.json(['put', join(folder, 'tree')]);
  assert.equal(put.at(-1)?.copies, 2, JSON.stringify(put.at(-1)));
  const lost = scenes.find((each) => each.target === scene.target)!;
  await lost.target.power.off();
  const startMs = performance.now();
  const back = join(folder, 'back');
  mkdirSync(back);
  await scene.aether.run(['get', '/tree', back], { timeoutMs: scene.patienceMs(timeoutMs) });
  const seconds = (performance.now() - startMs) / 1000;
  assert.deepEqual(await differentContents(join(folder, 'tree'), join(back, 'tree')), []);
  const told = await toldOfLoss(scenes.find((each) => each !== lost)!);
  return `${(bytes / 1e6).toFixed(1)} MB on 2 of ${scenes.length} boxes; without the one that took them all there after ${seconds.toFixed(1)} s; ${told}`;
}

/** What a box that is left says of the one that is away. */
async function toldOfLoss(left: Scene): Promise<string> {
  const startMs = performance.now();
  for (;;) {
    const [line = ''] = (await left.target.console.command('boxes')).filter((each) => /\baway\b/.test(each));
    if (line !== '')
      return `another box says so after ${((performance.now() - startMs) / 1000).toFixed(0)} s`;
    assert.ok(performance.now() - startMs < left.patienceMs(180_000), 'no box tells that one is away');
    await delay(2000);
  }
}
