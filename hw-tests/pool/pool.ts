import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import { idleMemory } from '../idle-memory.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import { makeSmallTree } from '../storage/small-tree.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { joinBox } from './join-box.ts';

const boxCount = 3;
const timeoutMs = 600_000;
const lightsMs = 120_000;

const threeBoxes: HardwareTest = {
  name: `${boxCount} boxes on one switch form a pool; copies are damaged, then one box is switched off, then another: every file is still there, and the lights tell each`,
  needs: ['more boxes', 'disks', 'power', 'lights', 'root shell'],
  minutes: 3,
  run: async (scene) => {
    await scene.claimed();
    const scenes = [scene];
    try {
      while (scenes.length < boxCount) scenes.push(await joinBox(scene));
      const [first, left, other] = [scene, scenes[1]!, scenes[2]!];
      const tree = await StoredTree.put(scene, boxCount);
      const memory = `idle then ${await idleMemory(scene)}`;
      const damaged = await damageCopies(first, tree);
      const without = await loseBox(first, left, tree);
      const alone = await stayAlone(other, left);
      return [tree.remark, memory, damaged, without, alone].join('; ');
    } finally {
      for (const { target } of scenes.slice(1)) await target.power.off();
    }
  },
};

export const pool: Suite = { name: 'pool', tests: [threeBoxes] };

/** Files that were put into a pool of several boxes, each on two of them. */
class StoredTree {
  readonly remark: string;
  readonly #scene: Scene;
  readonly #folder: string;

  private constructor(scene: Scene, folder: string, remark: string) {
    this.#scene = scene;
    this.#folder = folder;
    this.remark = remark;
  }

  static async put(scene: Scene, boxes: number): Promise<StoredTree> {
    const folder = scene.folder('pool');
    const bytes = makeSmallTree(join(folder, 'tree'), 'pool', [0, 10_000, 262_145, 1_000_000, 4_000_000]);
    const put = await scene.aether.json(['put', join(folder, 'tree')]);
    assert.equal(put.at(-1)?.copies, 2, JSON.stringify(put.at(-1)));
    return new StoredTree(scene, folder, `${(bytes / 1e6).toFixed(1)} MB on 2 of ${boxes} boxes`);
  }

  /** Gets and compares it. Resolves with the seconds. */
  async getBack(): Promise<number> {
    const startMs = performance.now();
    const back = join(this.#folder, 'back');
    rmSync(back, { recursive: true, force: true });
    mkdirSync(back);
    await this.#scene.aether.run(['get', '/tree', back], { timeoutMs: this.#scene.patienceMs(timeoutMs) });
    const seconds = (performance.now() - startMs) / 1000;
    assert.deepEqual(await differentContents(join(this.#folder, 'tree'), join(back, 'tree')), []);
    return seconds;
  }
}

/** Changes bytes on all disks of a box: none of it is handed out, and the box says of its disks that they did that. */
async function damageCopies(scene: Scene, tree: StoredTree): Promise<string> {
  const { root, lights } = scene.target;
  const changed = await root.run(changeBytes, 300_000);
  // What the program has just written it may still have in memory.
  await root.run('systemctl restart aetherstore.service', 120_000);
  await scene.waitUntilServing();
  await tree.getBack();
  const said = await untilConditions(scene, (messages) =>
    messages.find((text) => /gave back \d+ damaged records?/.test(text)),
  );
  await waitForRhythm(lights, 'needs a person, 6 flashes', scene.patienceMs(lightsMs));
  return `${changed} bytes changed on disks: all there, and "${said}" by 6 flashes`;
}

/** One in each quarter of a megabyte of what the disks hold. Says how many. */
const changeBytes = [
  'count=0',
  "for segment in $(find /run/aetherstore/mounts -name '*.seg')",
  'do at=20000',
  'while [ $at -lt $(stat -c %s $segment) ]',
  'do printf U | dd of=$segment bs=1 seek=$at conv=notrunc 2>/dev/null',
  'count=$((count + 1)) at=$((at + 250000))',
  'done',
  'done',
  'sync',
  'echo $count',
].join('; ');

/** Without the box that took the files they are all there, and another one says that it is away. */
async function loseBox(lost: Scene, left: Scene, tree: StoredTree): Promise<string> {
  await lost.target.power.off();
  const seconds = await tree.getBack();
  const startMs = performance.now();
  await waitForRhythm(left.target.lights, 'needs a person, 2 flashes', left.patienceMs(lightsMs));
  const told = ((performance.now() - startMs) / 1000).toFixed(0);
  const boxes = await left.target.console.command('boxes');
  assert.equal(boxes.filter((line) => /\baway\b/.test(line)).length, 1, boxes.join(' / '));
  return `without that box all there after ${seconds.toFixed(1)} s, told by 2 flashes ${told} s later`;
}

/** The last box takes files that only it has, and says so. */
async function stayAlone(lost: Scene, left: Scene): Promise<string> {
  await lost.target.power.off();
  const folder = left.folder('alone');
  makeSmallTree(join(folder, 'late'), 'late', [100_000]);
  const put = await left.aether.json(['put', join(folder, 'late')]);
  assert.equal(put.at(-1)?.copies, 1, JSON.stringify(put.at(-1)));
  await waitForRhythm(left.target.lights, 'needs a person, 5 flashes', left.patienceMs(lightsMs));
  return 'what the last box took alone told by 5 flashes';
}
