import assert from 'node:assert/strict';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest } from '../suite.ts';
import { Trees } from './trees.ts';

/** By the name that the kernel has for it. */
const fileSystem = '/sys/fs/ext4/$(basename $(readlink -f /dev/aetherstore/data))';

export const turnsReadOnly: HardwareTest = {
  name: 'a card that takes no more writing while the box runs: what it cannot keep it refuses, what it held is there after a restart',
  needs: ['root shell', 'power', 'disks'],
  run: async (scene) => {
    await scene.claimed();
    const trees = new Trees(scene);
    await trees.put('before');
    // As the kernel does when the card gives it an error: from then on it writes nothing more.
    await scene.target.root.run(
      `echo tested >${fileSystem}/trigger_fs_error; ! touch /data/.writable 2>/dev/null`,
    );
    await trees.compare();
    const refused = await trees.putInVain('meanwhile');
    assert.match(refused, /DISK_IO|LOG_FAILED/);
    const told = await untilConditions(scene, (all) => all.find((each) => each.includes('no more writing')));
    // Its file system is looked through at the start, and is whole.
    const seconds = await scene.powerCycle();
    await trees.compare();
    await trees.put('after');
    await trees.compare();
    return `${refused.replace(/\s+/g, ' ')} Meanwhile the box says: ${told} Serving again after ${seconds.toFixed(0)} s`;
  },
};
