import assert from 'node:assert/strict';
import { waitForRhythm } from '../light-track.ts';
import { untilConditions } from '../seen-conditions.ts';
import { volumesOf } from '../storage/seen-volumes.ts';
import type { HardwareTest } from '../suite.ts';

const stop = "systemctl stop aetherstore.service 'aetherstore-mount@*.service'";
/** What tells where each group of blocks has its tables: e2fsck asks before it takes that from elsewhere. */
const noDescriptors = 'dd if=/dev/zero of=/dev/sda bs=4096 seek=1 count=1 conv=notrunc,fsync 2>&1';
/** A file system of the same label with no inodes in a group, and nothing in the other place where that is said. */
const noInodes = [
  'label=$(blkid -p -s LABEL -o value /dev/sdb)',
  'mkfs.ext4 -q -F -O ^metadata_csum -b 1024 -L $label /dev/sdb',
  'dd if=/dev/zero of=/dev/sdb bs=1 seek=1064 count=4 conv=notrunc,fsync 2>&1',
  'dd if=/dev/zero of=/dev/sdb bs=1024 seek=8193 count=1 conv=notrunc,fsync 2>&1',
].join(' && ');

export const damagedDisks: HardwareTest = {
  name: 'a disk whose file system is damaged is mended; of one that cannot be mended it says that it is there, and why it is not used',
  needs: ['disks', 'root shell', 'lights'],
  run: async (scene) => {
    await scene.claimed();
    const { root, lights } = scene.target;
    await root.run(stop, 120_000);
    await root.run(`${noDescriptors} && ${noInodes}`, 120_000);
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
