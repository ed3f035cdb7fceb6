import assert from 'node:assert/strict';
import { signAnew } from '../../firmware/bundle/seal.ts';
import { untilSaid } from '../faults/until-said.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { tearEnvironment } from '../tear-environment.ts';
import { installMayBeCut } from './install-cuts.ts';
import { peersPassUpdatesOn } from './peers.ts';
import { badBundlesAreRefused, changedContentIsNotInstalled, goodBundlesAreTaken } from './refused.ts';
import { beginInstallation, untilUpdate, untilVersion, updateOf } from './seen-update.ts';
import { send, sourceOf } from './sent-bundle.ts';
import { hourIsKept } from './set-hour.ts';
import { rollbackIsTold, startBroker, whyNoBroker } from './told-of-rollback.ts';
import { badVersion, goodVersion, nextSigner, variant } from './variants.ts';

const updateTimeoutMs = 20 * 60_000;
const startsMs = 180_000;

const goodUpdate: HardwareTest = {
  name: 'a signed bundle is installed beside the system that runs, started, and found good; the box stays with it, even when its boot loader forgets, and takes updates of the key that it believes',
  needs: ['disks', 'updates'],
  minutes: 4,
  run: async (scene) => {
    await scene.claimed();
    const bundle = await variant(scene, goodVersion);
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
    await readNoSlotWhole(scene);
    const again = await scene.powerCycle();
    assert.equal((await scene.status()).box.version, goodVersion);
    const forgotten =
      scene.target.capabilities['root shell'] === true ? `; ${await comesBackToIt(scene)}` : '';
    await takesUpdatesOfTheNextKey(scene, name);
    return `${seconds.toFixed(0)} s from sending to good${shown === false ? '' : ', told by its lights'}; still it after a power cut (${again.toFixed(0)} s)${forgotten}`;
  },
};

/** What its card says of the systems on it spared the installer that. */
async function readNoSlotWhole({ target: { capabilities, root } }: Scene): Promise<void> {
  if (capabilities['root shell'] !== true) return;
  const said = await root.run('journalctl --no-pager -u rauc.service');
  assert.match(said, /access stats for active_slot/);
  assert.doesNotMatch(said, /Building new hash index/);
}

/** What was installed believes another key than the one that signed it: so a key is changed. */
async function takesUpdatesOfTheNextKey(scene: Scene, box: string): Promise<void> {
  const source = sourceOf(scene);
  const edit = (manifest: string) => manifest.replace(/^version=.*$/m, 'version=99.1.0+dev');
  signAnew({ ...source, edit });
  const before = await send(scene, box, source.output);
  assert.match(before.output, /UPDATE_UNTRUSTED/);
  signAnew({ ...source, edit, signer: nextSigner(scene) });
  const next = await send(scene, box, source.output);
  assert.equal(next.exitCode, 0, next.output);
}

/** A boot loader that remembers nothing starts the system from before, which has it start the new one again. */
async function comesBackToIt(scene: Scene): Promise<string> {
  const { console, root, power } = scene.target;
  await tearEnvironment(root, 'both');
  await power.off();
  console.skip();
  const startMs = performance.now();
  await power.on();
  await console.waitFor(
    /boot: environment damaged, defaults taken[\s\S]*boot: slot A,/,
    scene.patienceMs(startsMs),
  );
  await console.waitFor(/boot: environment read[\s\S]*boot: slot B,/, scene.patienceMs(startsMs));
  await untilVersion(scene, goodVersion, startsMs);
  assert.equal(await root.run('fw_printenv -n BOOT_ORDER'), 'B A');
  return `and ${((performance.now() - startMs) / 1000).toFixed(0)} s after its boot loader had forgotten which one it was`;
}

const badUpdate: HardwareTest = {
  name: 'a version that panics, then hangs, then has no program that lives is tried three times; then the old one runs again and says why, wherever it says how it is',
  needs: ['disks', 'updates', 'watchdog'],
  minutes: 3,
  run: async (scene) => {
    await scene.claimed();
    const before = (await scene.status()).box.version;
    const bundle = await variant(scene, badVersion);
    const name = await scene.target.console.greet();
    const noBroker = whyNoBroker(scene);
    const broker = noBroker === undefined ? await startBroker(scene) : undefined;
    try {
      const from = scene.target.console.transcript.length;
      const startMs = performance.now();
      const told = await scene.aether.run(['update', name, bundle], {
        timeoutMs: scene.patienceMs(updateTimeoutMs),
        mayFail: true,
      });
      const seconds = (performance.now() - startMs) / 1000;
      await scene.waitUntilServing();
      assert.notEqual(told.exitCode, 0);
      assert.match(told.stderr, /UPDATE_ROLLED_BACK/);
      assert.equal((await scene.status()).box.version, before);
      const seen = scene.target.console.transcript.slice(from);
      const starts = [...seen.matchAll(/boot: slot ([AB])|(?<!end )Kernel panic/g)];
      assert.deepEqual(
        starts.map(([panic, slot]) => slot ?? panic),
        ['B', 'Kernel panic', 'B', 'Kernel panic', 'B', 'A'],
      );
      const { state, reason } = await updateOf(scene);
      assert.equal(state, 'rolled-back');
      assert.match(reason ?? '', /failed five times/);
      const places = await rollbackIsTold(scene, { reason: reason ?? '', hasBroker: broker !== undefined });
      const unheard = noBroker === undefined ? '' : `; MQTT not looked at: ${noBroker}`;
      return `back after ${seconds.toFixed(0)} s, three tries; "${reason}" is told by ${places.join(', ')}${unheard}`;
    } finally {
      await broker?.stop();
    }
  },
};

const stickBringsUpdate: HardwareTest = {
  name: 'a memory stick brings an update to a box that belongs to nobody, and does so once',
  needs: ['memory sticks', 'updates'],
  minutes: 4,
  isLong: true,
  run: async (scene) => {
    await scene.serving();
    await scene.target.sticks.plugIn(await variant(scene, goodVersion));
    const startMs = performance.now();
    await untilUpdate(scene, 'staged', 180_000);
    const seconds = (performance.now() - startMs) / 1000;
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, updateTimeoutMs);
    await scene.untilProven();
    await untilUpdate(scene, 'none', updateTimeoutMs);
    if (scene.target.capabilities['root shell'] === true) await untilPassedOver(scene);
    return `staged ${seconds.toFixed(0)} s after it was plugged in; then it runs, and is not offered again`;
  },
};

export const update: Suite = {
  name: 'update',
  tests: [
    badBundlesAreRefused,
    changedContentIsNotInstalled,
    goodBundlesAreTaken,
    goodUpdate,
    hourIsKept,
    badUpdate,
    installMayBeCut,
    stickBringsUpdate,
    peersPassUpdatesOn,
  ],
};

/**
 * The stick is still there: in this start, too, the system has looked at it, and has copied nothing, for the name of what
 * is on it says that it runs.
 */
async function untilPassedOver(scene: Scene): Promise<void> {
  const journal = 'journalctl --no-pager -b -u';
  await untilSaid(scene, `${journal} 'aetherstore-stick@*'`, /the version on it runs already/);
  const folder = '/data/aetherstore/updates/sticks';
  const start = '@$(($(date +%s) - $(cut -d. -f1 /proc/uptime)))';
  const changed = await scene.target.root.run(
    `ls ${folder}; find ${folder} -maxdepth 0 -newermt "${start}" -printf 'changed\\n'`,
  );
  assert.equal(changed, '');
  const staged = await scene.target.root.run(
    `${journal} aetherstore.service | grep -c 'update staged' || true`,
  );
  assert.equal(staged, '0');
}
