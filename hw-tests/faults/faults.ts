import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import { killProgram } from '../kill-program.ts';
import { waitForRhythm } from '../light-track.ts';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import { makeSmallTree } from '../storage/small-tree.ts';
import type { HardwareTest, Suite } from '../suite.ts';
import { beginInstallation, untilUpdate, untilVersion } from '../update/seen-update.ts';
import { goodVersion, variant } from '../update/variants.ts';
import { hangingDisk } from './hanging-disk.ts';

const card = '/dev/aetherstore/data';
/** Five crashes, with longer and longer pauses between. */
const safeModeMs = 240_000;

const tornEnvironment: HardwareTest = {
  name: 'a torn environment of the boot loader is had from its copy; where both are torn it counts as none',
  needs: ['root shell', 'power', 'card'],
  run: async (scene) => {
    await scene.serving();
    const { root, console } = scene.target;
    const environment = '/dev/aetherstore/env';
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
    await root.run(`dd if=/dev/urandom of=${environment} bs=4096 count=1 conv=notrunc,fsync 2>&1`);
    const copied = await startOver(/boot: environment damaged, its copy taken\s[\s\S]* B 0/);
    await root.run(`dd if=/dev/urandom of=${environment} bs=16K count=2 conv=notrunc,fsync 2>&1`);
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
    const begin = 'dd if=/dev/vda of=/dev/sda bs=1M count=80 conv=fsync 2>&1';
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

const crashesEndInSafeMode: HardwareTest = {
  name: 'a program that crashes five times runs in safe mode, says so, and a restart tries the machine anew',
  needs: ['root shell', 'power'],
  run: async (scene) => {
    await scene.serving();
    const { root, console } = scene.target;
    await killProgram(root, ['ExecStart=', 'ExecStart=/bin/false']);
    const startMs = performance.now();
    const said = await safeModeSays(scene, /its program failed five times/);
    const seconds = (performance.now() - startMs) / 1000;
    await console.lastCommand('restart');
    await delay(2000);
    await scene.waitUntilServing();
    return `after ${seconds.toFixed(0)} s: ${said}`;
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
    await target.sticks.plugIn(await variant(scene, goodVersion, false));
    await untilUpdate(scene, 'staged', 180_000);
    const startMs = performance.now();
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, 600_000);
    const seconds = (performance.now() - startMs) / 1000;
    return `from ${before} to ${goodVersion} in ${seconds.toFixed(0)} s`;
  },
};

const clockOf1970: HardwareTest = {
  name: 'with a clock of 1970 and no time server it starts, is claimed, and keeps files',
  needs: ['power', 'card', 'clock', 'disks'],
  run: async (scene) => {
    const { target } = scene;
    await target.power.off();
    await target.network.dhcp(true);
    await target.card.flash();
    scene.forgetPerson();
    await target.disks.attach(1024 ** 3);
    await target.power.on(new Date(0));
    await scene.waitUntilServing();
    await scene.adoptDisk();
    await scene.claim();
    const folder = scene.folder('1970');
    makeSmallTree(join(folder, 'tree'), '1970', [10, 300_000]);
    await scene.aether.run(['put', join(folder, 'tree')], { timeoutMs: scene.patienceMs(120_000) });
    await scene.powerCycle();
    mkdirSync(join(folder, 'back'));
    await scene.aether.run(['get', '/tree', join(folder, 'back')], { timeoutMs: scene.patienceMs(120_000) });
    assert.deepEqual(await differentContents(join(folder, 'tree'), join(folder, 'back', 'tree')), []);
    const { conditions } = await scene.status();
    return conditions.map(({ message }) => message).join(' ');
  },
};

const dataIsFull: HardwareTest = {
  name: 'a card that is full: the box starts, serves, says so, and takes an update',
  needs: ['root shell', 'power', 'card', 'memory sticks', 'updates'],
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
    await scene.target.sticks.plugIn(await variant(scene, goodVersion, false));
    await untilUpdate(scene, 'staged', 180_000);
    await beginInstallation(scene);
    await untilVersion(scene, goodVersion, 600_000);
    return `serving after ${seconds.toFixed(0)} s: ${said} And it runs ${goodVersion} now`;
  },
};

export const faults: Suite = {
  name: 'faults',
  minutes: 18,
  tests: [
    tornEnvironment,
    anotherCardIsPluggedIn,
    crashesEndInSafeMode,
    dataCannotBeMounted,
    dataIsReadOnly,
    safeModeTakesUpdates,
    clockOf1970,
    dataIsFull,
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

/** Resolves when a command of the root shell says what is awaited, after a minute at most. */
async function untilSaid({ target }: Scene, command: string, awaited: RegExp): Promise<void> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const said = await target.root.run(`${command} 2>&1 || true`);
    if (awaited.test(said)) return;
    assert.ok(performance.now() < endMs, `${command} says: ${said}`);
    await delay(1000);
  }
}

/** Waits for the console and the lights of safe mode. Returns what the console says. */
async function safeModeSays(scene: Scene, reason: RegExp): Promise<string> {
  const { target } = scene;
  const endMs = performance.now() + scene.patienceMs(safeModeMs);
  for (;;) {
    const lines = await target.console.command('status', { timeoutMs: safeModeMs }).catch(() => ['']);
    // The console breaks lines where its terminal ends.
    const said = reason.exec(lines.map((line) => line.trim()).join(' '))?.[0];
    if (said !== undefined) {
      if (target.capabilities.lights === true)
        await waitForRhythm(target.lights, 'needs a person, 8 flashes', scene.patienceMs(30_000));
      return said;
    }
    assert.ok(performance.now() < endMs, `the console says: ${lines.join(' / ')}`);
    await delay(2000);
  }
}
