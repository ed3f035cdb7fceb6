import assert from 'node:assert/strict';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { tearEnvironment } from '../tear-environment.ts';
import { beginInstallation, untilUpdate, untilVersion } from '../update/seen-update.ts';
import { goodVersion, variant } from '../update/variants.ts';
import { turnsReadOnly } from './card-fails.ts';
import { clocks } from './clock.ts';
import { crashesEndInSafeMode } from './crashes.ts';
import { damagedDisk } from './damaged-disk.ts';
import { hangingDisk } from './hanging-disk.ts';
import { startsWithoutNetwork } from './no-network.ts';
import { safeModeSays } from './seen-safe-mode.ts';
import { untilSaid } from './until-said.ts';

const card = '/dev/aetherstore/data';

const tornEnvironment: HardwareTest = {
  name: 'a torn environment of the boot loader is had from its copy; where both are torn it counts as none',
  needs: ['root shell', 'power', 'card'],
  run: async (scene) => {
    await scene.serving();
    const { root, console } = scene.target;
    const startOver = async (expected: RegExp) => {
      const from = console.transcript.length;
      const seconds = await scene.powerCycle();
      const said = console.transcript.slice(from);
      assert.match(said, expected);
      return `${/boot: slot (\w), .*/.exec(said)?.[0]}, serving after ${seconds.toFixed(0)} s`;
    };
    // The order of the last start, and not the defaults: these three are no tries of B.
    await root.run('fw_setenv BOOT_B_LEFT 0');
    await startOver(/boot: environment read\s[\s\S]* B 0/);
    await tearEnvironment(root, 'first');
    const copied = await startOver(/boot: environment damaged, its copy taken\s[\s\S]* B 0/);
    await tearEnvironment(root, 'both');
    const none = await startOver(/boot: environment damaged, defaults taken\s[\s\S]* B 3/);
    await startOver(/boot: environment read/);
    return `copy: ${copied}; none: ${none}; and then it is whole again`;
  },
};

/** The size of the emulated card; a table of partitions that is for more is no table. */
const cardBytes = 4 * 1024 ** 3;

const anotherCardIsPluggedIn: HardwareTest = {
  name: 'a card of another box in a reader is not taken for its own, whatever its partitions are called',
  needs: ['root shell', 'power', 'card', 'disks'],
  run: async (scene) => {
    await scene.serving();
    const { root, disks } = scene.target;
    await disks.attach(cardBytes);
    await untilSaid(scene, 'ls /dev/sda', /^\/dev\/sda$/);
    // From the table to the first slot: boot partition, environment, identity.
    const begin = 'dd if=/dev/vda of=/dev/sda bs=1M count=84 conv=fsync 2>&1';
    await root.run(`${begin}; blockdev --rereadpt /dev/sda; udevadm settle`, 120_000);
    const theirs = 'cksum </dev/sda2';
    const before = await root.run(theirs);
    await scene.powerCycle();
    const links = await root.run(
      'readlink -f /dev/aetherstore/env /dev/aetherstore/root? /dev/aetherstore/data',
    );
    assert.match(links, /^(\/dev\/vda\d\s*){4}$/);
    const written = await root.run('fw_setenv whose mine && grep -ac whose=mine /dev/aetherstore/env');
    assert.equal(written, '1');
    assert.equal(await root.run(theirs), before);
    const byName = await root.run('readlink -f /dev/disk/by-partlabel/env');
    return `its own environment is written; by its name it would have been ${byName}`;
  },
};

const dataCannotBeMounted: HardwareTest = {
  name: 'a box whose data partition is destroyed does not begin anew as if nothing had been: it says so in safe mode',
  needs: ['root shell', 'power', 'card'],
  run: async (scene) => {
    await scene.serving();
    await untilSaid(scene, '/usr/lib/aetherstore/note-data known && echo noted', /noted/);
    await scene.target.root.run(`dd if=/dev/zero of=${card} bs=1M count=1024 conv=fsync 2>&1`, 120_000);
    await scene.target.power.off();
    await scene.target.power.on();
    return safeModeSays(
      scene,
      /its card has (no data partition that can be mounted|lost what this box remembered)/,
    );
  },
};

const dataIsReadOnly: HardwareTest = {
  name: 'a card that takes no more writing: safe mode, which says so',
  needs: ['root shell', 'power', 'card'],
  run: async (scene) => {
    await scene.serving();
    await makeReadOnly(scene);
    await scene.target.power.off();
    await scene.target.power.on();
    return safeModeSays(scene, /its card takes no more writing/);
  },
};

const safeModeTakesUpdates: HardwareTest = {
  name: 'in safe mode, on a card that takes no more writing, an update comes on a memory stick',
  needs: ['root shell', 'power', 'card', 'memory sticks', 'updates'],
  run: async (scene) => {
    await scene.serving();
    const { target } = scene;
    const before = (await scene.status()).box.version;
    await makeReadOnly(scene);
    await target.power.off();
    await target.power.on();
    await safeModeSays(scene, /its card takes no more writing/);
    await target.sticks.plugIn(await variant(scene, goodVersion));
    await untilUpdate(scene, 'staged', 180_000);
    const startMs = performance.now();
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, 600_000);
    const seconds = (performance.now() - startMs) / 1000;
    return `from ${before} to ${goodVersion} in ${seconds.toFixed(0)} s`;
  },
};

const dataIsFull: HardwareTest = {
  name: 'a card that is full: the box starts, serves, says so by four flashes, and takes an update',
  needs: ['root shell', 'power', 'card', 'memory sticks', 'updates', 'lights'],
  minutes: 3,
  run: async (scene) => {
    await scene.serving();
    await untilSaid(scene, 'ls /data/aetherstore/updates/reserve', /^\/data\S+reserve$/m);
    await scene.target.root.run(
      'cat /dev/zero >/data/fill 2>/dev/null; cat /dev/zero >>/data/aetherstore/fill 2>/dev/null; sync; df /data | tail -n 1',
      300_000,
    );
    const seconds = await scene.powerCycle();
    const said = await untilConditions(scene, (messages) =>
      messages.find((text) => /full|no room/i.test(text)),
    );
    await waitForRhythm(scene.target.lights, 'needs a person, 4 flashes', scene.patienceMs(30_000));
    await scene.target.sticks.plugIn(await variant(scene, goodVersion));
    await untilUpdate(scene, 'staged', 180_000);
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, 600_000);
    return `serving after ${seconds.toFixed(0)} s: ${said} And it runs ${goodVersion} now`;
  },
};

export const faults: Suite = {
  name: 'faults',
  tests: [
    tornEnvironment,
    anotherCardIsPluggedIn,
    crashesEndInSafeMode,
    dataCannotBeMounted,
    dataIsReadOnly,
    safeModeTakesUpdates,
    turnsReadOnly,
    ...clocks,
    dataIsFull,
    startsWithoutNetwork,
    damagedDisk,
    ...hangingDisk,
  ],
};

/**
 * Sets a mark in the file system of the card that the kernel obeys; nothing else of it changes. It is mounted read-only
 * before, or its journal would undo that.
 */
async function makeReadOnly({ target: { root } }: Scene): Promise<void> {
  await root.run(`sync; echo u >/proc/sysrq-trigger; sleep 3; tune2fs -O read-only ${card}; sync`);
}
