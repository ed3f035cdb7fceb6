import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import type { Forgotten } from '../target.ts';
import { untilDisksWork } from './seen-volumes.ts';
import { makeSmallTree } from './small-tree.ts';

const putTimeoutMs = 300_000;
const powerCuts = 20;
/** From the first put after a start to the earliest cut, and from the earliest to the latest: more where a put takes longer. */
const cutAfterMs = 2000;
const cutsSpreadMs = 5000;
const cutTreeSizes = [10, 70_000, 300_000, 1_500_000];
const lastWordMs = 2000;

const takesDisks: HardwareTest = {
  name: 'two blank disks are taken by the console, and the box is claimed from a desktop',
  needs: ['disks'],
  run: async (scene) => {
    await scene.claimed();
    const disks = await scene.target.console.command('disks');
    const working = disks.filter((line) => /^\S+ +ok /.test(line));
    assert.equal(working.length, 2, disks.join(' / '));
    const { pool, conditions } = await scene.status();
    assert.equal(pool?.boxes, 1);
    return conditions.map(({ message }) => message).join(' ') || 'no conditions';
  },
};

const takesDiskLater: HardwareTest = {
  name: 'a claimed box without a disk asks for one by three flashes; one that is plugged in then is taken too',
  needs: ['disks', 'lights'],
  run: async (scene) => {
    await scene.serving();
    await scene.claim();
    const { lights } = scene.target;
    await waitForRhythm(lights, 'needs a person, 3 flashes', scene.patienceMs(30_000));
    const startMs = performance.now();
    await scene.target.disks.attach(1024 ** 3);
    const device = await scene.adoptDisk();
    await untilDisksWork(scene, 1);
    const seconds = (performance.now() - startMs) / 1000;
    await waitForRhythm(lights, 'healthy', scene.patienceMs(30_000));
    return `3 flashes until it came; ${device} in use ${seconds.toFixed(0)} s after it was plugged in`;
  },
};

const keepsFiles: HardwareTest = {
  name: 'a tree that was put comes back as it was',
  needs: ['disks'],
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('tree');
    const sizes = [0, 1, 4096, 100_000, 262_145, 1_000_000, 5_000_000];
    const bytes = makeSmallTree(join(folder, 'photos'), 'keeps', sizes);
    const put = await putWhole(scene, folder, 'photos');
    const get = await getBack(scene, folder, 'photos');
    const rate = (seconds: number) => `${seconds.toFixed(1)} s`;
    return `${(bytes / 1e6).toFixed(1)} MB put in ${rate(put)}, got in ${rate(get)}`;
  },
};

const startsWithItsDisks: HardwareTest = {
  name: 'after a power cut its disks are there again, with what was on them, and it has no more to say than before',
  needs: ['disks', 'power'],
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('again');
    makeSmallTree(join(folder, 'before'), 'again', [100_000, 2_000_000]);
    await putWhole(scene, folder, 'before');
    const before = (await scene.status()).conditions.map(({ message }) => message);
    const startMs = performance.now();
    const seconds = await scene.powerCycle();
    await untilDisksWork(scene, 2);
    const working = (performance.now() - startMs) / 1000;
    await untilConditions(scene, (messages) => isDeepStrictEqual(messages, before));
    await getBack(scene, folder, 'before');
    return `serving after ${seconds.toFixed(1)} s; both disks were seen to work ${working.toFixed(1)} s after the cut`;
  },
};

const survivesPowerCuts: HardwareTest = {
  name: `after ${powerCuts} power cuts in the middle of writing it starts, and has everything it said it had`,
  needs: ['disks', 'power'],
  minutes: 14,
  isLong: true,
  run: async (scene) => {
    await scene.claimed();
    const folder = scene.folder('cuts');
    makeSmallTree(join(folder, 'before'), 'before the cuts', cutTreeSizes);
    const spreadMs = Math.max(cutsSpreadMs, 3000 * (await putWhole(scene, folder, 'before')));
    const acknowledged: string[] = [];
    const seconds: number[] = [];
    let torn = 0;
    /** None where the target cannot tell. */
    const forgotten: Forgotten[] = [];
    for (let cut = 0; cut < powerCuts; cut++) {
      if (cut % 2 === 1) await writeWithoutFlush(scene);
      const afterMs = cutAfterMs + (((cut * 977) % 5000) / 5000) * spreadMs;
      const done = await putUntilCut(scene, folder, { cut, afterMs });
      acknowledged.push(...done.acknowledged);
      if (done.torn) torn++;
      const lost = scene.target.power.forgotten();
      if (lost !== undefined) forgotten.push(lost);
      seconds.push(await scene.powerCycle());
    }
    // Otherwise nothing was shown.
    assert.ok(torn > powerCuts / 2, `only ${torn} puts were torn`);
    assert.ok(acknowledged.length > 0, 'nothing was acknowledged before a cut');
    const byCard = forgotten.reduce((sum, { card }) => sum + card, 0);
    const byDisks = forgotten.reduce((sum, { disks }) => sum + disks, 0);
    // Those of the card are the test's own; what the box writes to its disks it flushes before most cuts.
    if (forgotten.length > 0) assert.ok(byCard + byDisks > 0, 'no cut made card and disks forget anything');
    await untilDisksWork(scene, 2);
    for (const name of ['before', ...acknowledged]) await getBack(scene, folder, name);
    makeSmallTree(join(folder, 'after'), 'after the cuts', cutTreeSizes);
    await putWhole(scene, folder, 'after');
    await getBack(scene, folder, 'after');
    const slowest = Math.max(...seconds).toFixed(0);
    const disks =
      forgotten.length === 0
        ? ''
        : `, ${byCard} unflushed writes forgotten by the card and ${byDisks} by the disks`;
    return `${torn} puts were torn${disks}; ${acknowledged.length} had been acknowledged: all there; serving again after at most ${slowest} s, and takes another tree`;
  },
};

/**
 * Has something be written to the card until the power goes, where nothing tells the card to keep it: a fast machine has
 * flushed what the box writes before most cuts.
 */
async function writeWithoutFlush({ target }: Scene): Promise<void> {
  if (target.capabilities['root shell'] !== true) return;
  const file = '/data/.unflushed';
  const write = `dd if=/dev/zero of=${file} bs=4k count=16 oflag=direct conv=notrunc`;
  await target.root.run(`{ ${write} && sync ${file}; } 2>/dev/null`);
  await target.root.run(`(while ${write}; do sleep 0.2; done) >/dev/null 2>&1 & true`);
}

const isReset: HardwareTest = {
  name: 'after a factory reset by the console it belongs to nobody, and can be claimed anew',
  needs: ['disks', 'card'],
  run: async (scene) => {
    await scene.claimed();
    const startMs = performance.now();
    await scene.target.console.lastCommand('reset factory');
    for (;;) {
      const pool = await scene.status().then(
        (status) => status.pool,
        () => undefined,
      );
      if (pool === null) break;
      const waitedMs = performance.now() - startMs;
      assert.ok(waitedMs < scene.patienceMs(300_000), 'the console still tells of a pool');
      await delay(1000);
    }
    const seconds = (performance.now() - startMs) / 1000;
    const disks = await scene.target.console.command('disks');
    const held = disks.filter((line) => /^sd/.test(line)).map((line) => line.replace(/ +/g, ' '));
    scene.forgetPerson();
    await scene.claim('console');
    assert.equal((await scene.status()).pool?.boxes, 1);
    // What they hold is of the pool before, and stays as it is.
    const adopt = `disks adopt ${held[0]?.split(' ')[0]}`;
    const refused = await scene.target.console.dangerousCommand(adopt, { timeoutMs: 120_000 });
    assert.match(refused.join(' '), /another pool/);
    assert.equal(
      (await scene.target.console.command('disks')).filter((line) => /failed/.test(line)).length,
      0,
    );
    return `new after ${seconds.toFixed(0)} s, and somebody else's; its disks: ${held.join('; ')}`;
  },
};

export const storage: Suite = {
  name: 'storage',
  tests: [takesDisks, startsWithItsDisks, keepsFiles, isReset, takesDiskLater, survivesPowerCuts],
};

/**
 * Puts small trees one after another and cuts the power after so many milliseconds. Acknowledged is what `aether put` said
 * was stored before. Rejects when one fails by itself: a box that takes nothing would lose nothing.
 */
async function putUntilCut(
  scene: Scene,
  folder: string,
  { cut, afterMs }: { readonly cut: number; readonly afterMs: number },
): Promise<{ readonly acknowledged: readonly string[]; readonly torn: boolean }> {
  const acknowledged: string[] = [];
  const moment = delay(afterMs).then(() => 'cut' as const);
  for (let index = 0; ; index++) {
    const name = `cut-${cut}-${index}`;
    makeSmallTree(join(folder, name), name, cutTreeSizes);
    const log = join(folder, `${name}.log`);
    const put = scene.aether.start(['put', join(folder, name)], log);
    const ended = await Promise.race([put.exited, moment]);
    if (ended === 0) {
      acknowledged.push(name);
      continue;
    }
    if (ended !== 'cut')
      throw new Error(`put ${name}: exit code ${ended} before the power was cut: ${await saidIn(log)}`);
    await scene.target.power.off();
    // What was on its way when the power went; it would go on for a minute to look for the box.
    const last = await Promise.race([put.exited, delay(lastWordMs)]);
    put.kill('SIGKILL');
    if (last === 0) acknowledged.push(name);
    return { acknowledged, torn: last !== 0 };
  }
}

/** What a program that has ended wrote to its log. */
async function saidIn(log: string): Promise<string> {
  // Its end is heard of before the file is written.
  await delay(500);
  return existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
}

/** Puts what is in the folder by this name. Returns the seconds. */
async function putWhole(scene: Scene, folder: string, name: string): Promise<number> {
  const { seconds } = await scene.aether.run(['put', join(folder, name)], {
    timeoutMs: scene.patienceMs(putTimeoutMs),
  });
  return seconds;
}

/** Gets what was put by this name and compares. Returns the seconds. */
async function getBack(scene: Scene, folder: string, name: string): Promise<number> {
  const back = join(folder, 'back');
  mkdirSync(back, { recursive: true });
  const { seconds } = await scene.aether.run(['get', `/${name}`, back], {
    timeoutMs: scene.patienceMs(putTimeoutMs),
  });
  const differences = await differentContents(join(folder, name), join(back, name));
  assert.deepEqual(differences, []);
  return seconds;
}
