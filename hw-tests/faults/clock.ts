import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { signAnew } from '../../firmware/bundle/seal.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest } from '../suite.ts';
import { untilUpdate } from '../update/seen-update.ts';
import { issued, send, sourceOf } from '../update/sent-bundle.ts';
import { Trees } from './trees.ts';

const updaterStartsMs = 60_000;
const unset = /clock of this box is not set/;

const sinceTheFirstStart: HardwareTest = {
  name: 'with a clock of 1970 and no time server it says that its clock is not set, until a desktop that uses it tells the time',
  needs: ['power', 'card', 'clock', 'disks'],
  run: async (scene) => {
    const { target } = scene;
    await target.power.off();
    await target.network.dhcp(true);
    await target.card.flash();
    scene.forgetPerson();
    await target.disks.attach(1024 ** 3);
    await startIn1970(scene);
    const said = await untilConditions(scene, (messages) => messages.find((text) => unset.test(text)));
    if (target.capabilities.lights === true)
      await waitForRhythm(target.lights, 'needs a person, 8 flashes', scene.patienceMs(30_000));
    await scene.adoptDisk();
    await scene.claim();
    const trees = new Trees(scene);
    await trees.put('tree');
    await trees.compare();
    await untilConditions(scene, (messages) => !messages.some((text) => unset.test(text)));
    return said;
  },
};

/** What a board without a battery does at each start. */
const goesBack: HardwareTest = {
  name: 'with a clock that is 1970 again after a power cut it goes on from before: what is put then counts as later, and a bundle is verified',
  needs: ['power', 'clock', 'disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const trees = new Trees(scene);
    await trees.put('before');
    await startIn1970(scene);
    await requireSet(scene);
    // Of two versions the later one counts: by the hardware's clock alone that would be the one from before.
    writeFileSync(join(trees.folderOf('before'), 'file 0 of before'), 'put when it was 1970 again');
    await trees.putAgain('before');
    await trees.put('after');
    await trees.compare();
    await stageFromTheFuture(scene);
    return 'Both trees came back, and a bundle is staged';
  },
};

export const clocks: readonly HardwareTest[] = [sinceTheFirstStart, goesBack];

/** Cuts the power, and gives it back when it is 1970. */
async function startIn1970(scene: Scene): Promise<void> {
  await scene.target.power.off();
  await scene.target.power.on(new Date(0));
  await scene.waitUntilServing();
}

/** Rejects when the box, once it has looked, says that its clock is not set. */
async function requireSet(scene: Scene): Promise<void> {
  const endMs = performance.now() + scene.patienceMs(60_000);
  let { hardware } = await scene.status();
  for (; hardware.clock === null && performance.now() < endMs; { hardware } = await scene.status())
    await delay(1000);
  assert.ok(['free', 'holdover'].includes(String(hardware.clock)), `its clock is ${hardware.clock}`);
}

/** Has a bundle staged whose certificate is not valid yet, by the clock of the box. */
async function stageFromTheFuture(scene: Scene): Promise<void> {
  const source = sourceOf(scene);
  // Later than when the system was made, which is what its clock is set to where it shows less.
  const signer = issued(source, '20260601000000Z', '20300101000000Z');
  signAnew({ ...source, signer, edit: (manifest) => manifest });
  const name = await scene.target.console.greet();
  const { exitCode, output } = await send(scene, name, source.output);
  assert.equal(exitCode, 0, output);
  await untilUpdate(scene, 'staged', updaterStartsMs);
}
