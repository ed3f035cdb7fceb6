import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  name: 'with a clock of 1970 and no time server it starts, is claimed, keeps files, and says that its clock is not set',
  needs: ['power', 'card', 'clock', 'disks'],
  run: async (scene) => {
    const { target } = scene;
    await target.power.off();
    await target.network.dhcp(true);
    await target.card.flash();
    scene.forgetPerson();
    await target.disks.attach(1024 ** 3);
    await startIn1970(scene);
    await scene.adoptDisk();
    await scene.claim();
    const trees = new Trees(scene);
    await trees.put('tree');
    await startIn1970(scene);
    await trees.compare();
    return untilUnset(scene);
  },
};

/** What a board without a battery does at each start. */
const goesBack: HardwareTest = {
  name: 'a clock that is 1970 again after a power cut: it says so, what is put then counts as later, and a bundle is verified',
  needs: ['power', 'clock', 'disks', 'updates'],
  run: async (scene) => {
    await scene.claimed();
    const { conditions } = await scene.status();
    assert.deepEqual(
      conditions.filter(({ message }) => unset.test(message)),
      [],
    );
    const trees = new Trees(scene);
    await trees.put('before');
    await startIn1970(scene);
    const said = await untilUnset(scene);
    if (scene.target.capabilities.lights === true)
      await waitForRhythm(scene.target.lights, 'needs a person, 8 flashes', scene.patienceMs(30_000));
    // Of two versions the later one counts: by the clock alone that would be the one from before.
    writeFileSync(join(trees.folderOf('before'), 'file 0 of before'), 'put when it was 1970 again');
    await trees.putAgain('before');
    await trees.put('after');
    await trees.compare();
    await stageFromTheFuture(scene);
    return `${said} Both trees came back, and a bundle is staged`;
  },
};

export const clocks: readonly HardwareTest[] = [sinceTheFirstStart, goesBack];

/** Cuts the power, and gives it back when it is 1970. */
async function startIn1970(scene: Scene): Promise<void> {
  await scene.target.power.off();
  await scene.target.power.on(new Date(0));
  await scene.waitUntilServing();
}

function untilUnset(scene: Scene): Promise<string> {
  return untilConditions(scene, (messages) => messages.find((text) => unset.test(text)));
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
