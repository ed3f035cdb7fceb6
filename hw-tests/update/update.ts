import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { waitForRhythm } from '../light-track.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { peersPassUpdatesOn } from './peers.ts';
import { badBundlesAreRefused, goodBundlesAreTaken } from './refused.ts';
import { beginInstallation, knownUpdate, untilUpdate, untilVersion, updateOf } from './seen-update.ts';
import { goodVersion, variant } from './variants.ts';

const updateTimeoutMs = 20 * 60_000;
const badVersion = '99.0.1+dev';
const installCuts = 10;
/** An installation takes 40 s and more on an emulated board. */
const cutSpacingMs = 3500;

const goodUpdate: HardwareTest = {
  name: 'a signed bundle is installed beside the system that runs, started, and found good',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const bundle = await variant(scene, goodVersion, false);
    const name = await scene.target.console.greet();
    const startMs = performance.now();
    scene.target.console.skip();
    const { lights } = scene.target;
    const [, shown] = await Promise.all([
      scene.aether.run(['update', name, bundle], { timeoutMs: scene.patienceMs(updateTimeoutMs) }),
      scene.target.capabilities.lights === true &&
        waitForRhythm(lights, 'updating', scene.patienceMs(updateTimeoutMs / 2)),
    ]);
    const seconds = (performance.now() - startMs) / 1000;
    const { box } = await scene.status();
    assert.equal(box.version, goodVersion);
    const again = await scene.powerCycle();
    assert.equal((await scene.status()).box.version, goodVersion);
    return `${seconds.toFixed(0)} s from sending to good${shown === false ? '' : ', told by its lights'}; still it after a power cut (${again.toFixed(0)} s)`;
  },
};

const badUpdate: HardwareTest = {
  name: 'a version that does not work is tried three times; then the old one runs again and says why',
  needs: ['disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const before = (await scene.status()).box.version;
    const bundle = await variant(scene, badVersion, true);
    const name = await scene.target.console.greet();
    const from = scene.target.console.transcript.length;
    const startMs = performance.now();
    const told = await scene.aether.run(['update', name, bundle], {
      timeoutMs: scene.patienceMs(updateTimeoutMs),
      mayFail: true,
    });
    const seconds = (performance.now() - startMs) / 1000;
    await scene.waitUntilServing();
    assert.notEqual(told.exitCode, 0);
    assert.equal((await scene.status()).box.version, before);
    const starts = [...scene.target.console.transcript.slice(from).matchAll(/boot: slot ([AB])/g)];
    assert.deepEqual(
      starts.map(([, slot]) => slot),
      ['B', 'B', 'B', 'A'],
    );
    const update = await updateOf(scene);
    assert.equal(update.state, 'rolled-back');
    assert.match(update.reason ?? '', /failed five times/);
    return `back after ${seconds.toFixed(0)} s, three tries; reason: ${update.reason}`;
  },
};

const installMayBeCut: HardwareTest = {
  name: `power may go at ${installCuts} points of an installation, and then it is installed all the same`,
  needs: ['disks', 'updates', 'power'],
  run: async (scene) => {
    await scene.claimed();
    const before = (await scene.status()).box.version;
    const bundle = await variant(scene, goodVersion, false);
    const name = await scene.target.console.greet();
    await scene.aether.run(['update', name, bundle, '--later'], {
      timeoutMs: scene.patienceMs(updateTimeoutMs),
    });
    const points: number[] = [];
    for (let cut = 0; cut < installCuts; cut++) {
      assert.equal((await knownUpdate(scene)).state, 'staged', `after cuts at ${points.join(', ')} %`);
      await beginInstallation(scene);
      await delay(scene.patienceMs(cut * cutSpacingMs));
      const { state, progressPercent } = await updateOf(scene);
      assert.equal(state, 'installing', `after cuts at ${points.join(', ')} %`);
      points.push(progressPercent ?? 0);
      await scene.powerCycle();
      assert.equal((await scene.status()).box.version, before, `cut at ${points.at(-1)} %`);
    }
    assert.equal((await knownUpdate(scene)).state, 'staged', `after cuts at ${points.join(', ')} %`);
    await scene.aether.run(['update', name], { timeoutMs: scene.patienceMs(updateTimeoutMs) });
    assert.equal((await scene.status()).box.version, goodVersion);
    return `cut every ${cutSpacingMs / 1000} s of it, at ${points.join(', ')} %, the old version each time; then the new one`;
  },
};

const stickBringsUpdate: HardwareTest = {
  name: 'a memory stick brings an update to a box that belongs to nobody, and does so once',
  needs: ['memory sticks', 'updates'],
  run: async (scene) => {
    await scene.serving();
    await scene.target.sticks.plugIn(await variant(scene, goodVersion, false));
    const startMs = performance.now();
    await untilUpdate(scene, 'staged', 180_000);
    const seconds = (performance.now() - startMs) / 1000;
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, updateTimeoutMs);
    await scene.untilProven();
    // The stick is still there, and was looked at when the box started.
    await untilUpdate(scene, 'none', updateTimeoutMs);
    return `staged ${seconds.toFixed(0)} s after it was plugged in; then it runs, and is not offered again`;
  },
};

export const update: Suite = {
  name: 'update',
  minutes: 18,
  tests: [
    badBundlesAreRefused,
    goodBundlesAreTaken,
    goodUpdate,
    badUpdate,
    installMayBeCut,
    stickBringsUpdate,
    peersPassUpdatesOn,
  ],
};
