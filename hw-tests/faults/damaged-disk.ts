import assert from 'node:assert/strict';
import { waitForRhythm } from '../light-track.ts';
import { untilConditions } from '../seen-conditions.ts';
import { volumesOf } from '../storage/seen-volumes.ts';
import type { HardwareTest } from '../suite.ts';

const stop = "systemctl stop aetherstore.service 'aetherstore-mount@*.service'";
/** What tells where each group of blocks has its tables: mended without asking all would be lost. */
const noDescriptors = 'dd if=/dev/zero of=/dev/sda bs=4096 seek=1 count=1 conv=notrunc,fsync 2>&1';

export const damagedDisk: HardwareTest = {
  name: 'of a disk whose file system is damaged it says that it is there, and why it is not used; the other one serves',
  needs: ['disks', 'root shell', 'lights'],
  run: async (scene) => {
    await scene.claimed();
    const { root, lights } = scene.target;
    await root.run(stop, 120_000);
    await root.run(noDescriptors);
    await root.run('systemctl start aetherstore.service', 120_000);
    await scene.waitUntilServing();
    const said = await untilConditions(scene, (messages) =>
      messages.find((text) => /is attached and cannot be mounted: its file system has errors/.test(text)),
    );
    const states = (await volumesOf(scene)).map(({ name, state }) => [said.includes(name), state]);
    assert.deepEqual(states.toSorted(), [
      [false, 'ok'],
      [true, 'failed'],
    ]);
    await waitForRhythm(lights, 'data at risk', scene.patienceMs(60_000));
    return said;
  },
};
