import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { joinBox } from '../pool/join-box.ts';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { usePage } from './page.ts';
import { beginInstallation, untilUpdate, untilVersion } from './seen-update.ts';
import { goodVersion, variant } from './variants.ts';

/** A box asks the others every two minutes. */
const offeredMs = 6 * 60_000;
const updateTimeoutMs = 20 * 60_000;

export const peersPassUpdatesOn: HardwareTest = {
  name: 'what one box was sent by its page, runs and has found good, another takes from it, and fetches only what differs',
  needs: ['disks', 'updates', 'more boxes', 'root shell'],
  minutes: 7,
  isLong: true,
  run: async (scene) => {
    await scene.claimed();
    const other = await joinBox(scene);
    try {
      const bundle = await variant(scene, goodVersion);
      const answer = await usePage(scene, bundle);
      assert.ok(answer.includes(`${goodVersion} is ready`), answer);
      await usePage(scene, 'install');
      await untilVersion(scene, goodVersion, updateTimeoutMs);
      await untilUpdate(other, 'staged', offeredMs);
      const before = await receivedBytes(other);
      await beginInstallation(other);
      const fetched = await installed(other, before);
      const total = statSync(bundle).size;
      assert.ok(fetched > 100_000 && fetched < total / 10, `${fetched} bytes of ${total} were fetched`);
      await untilVersion(other, goodVersion, updateTimeoutMs);
      await untilUpdate(other, 'none', updateTimeoutMs);
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
      return `${megabytes(fetched)} MB crossed the network for a bundle of ${megabytes(total)} MB whose program differs`;
    } finally {
      await other.target.power.off();
    }
  },
};

/** Waits for the end of the installation. Returns how much was received meanwhile. */
async function installed(scene: Scene, beforeBytes: number): Promise<number> {
  let latest = beforeBytes;
  const endMs = performance.now() + scene.patienceMs(updateTimeoutMs);
  for (;;) {
    assert.ok(performance.now() < endMs, 'it does not end');
    // It starts again as soon as it is done.
    if (scene.target.power.restarts() > 0) return latest - beforeBytes;
    // One that has just started again counts from nothing.
    latest = Math.max(latest, await receivedBytes(scene).catch(() => 0));
    await delay(500);
  }
}

async function receivedBytes({ target }: Scene): Promise<number> {
  return Number(await target.root.run('cat /sys/class/net/e*/statistics/rx_bytes', 10_000));
}
