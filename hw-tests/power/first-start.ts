import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import { untilConditions } from '../seen-conditions.ts';
import type { HardwareTest } from '../suite.ts';

/**
 * When the power goes in the first starts of each card, from the boot loader on: shares of how long one takes here that is
 * left alone. Then a start is left alone until the box serves, and cut so much later: its data grow meanwhile.
 */
const cards = [
  { starting: [0.05, 0.5, 0.8], serving: 0 },
  { starting: [0.2, 0.65], serving: 0.1 },
  { starting: [0.35, 0.95], serving: 0.2 },
] as const;
const cuts = cards.reduce((sum, { starting }) => sum + starting.length + 1, 0);

/** Of the partition for data on the image, which is to grow to the end of the card. */
const imageDataBytes = 128 * 1024 ** 2;
/** A file system that was mounted since it grew counts what it needs for itself a little otherwise. */
const grownShareMin = 0.98;
const growMs = 120_000;

export const firstStartMayBeCut: HardwareTest = {
  name: `power may go at ${cuts} points of the first starts of ${cards.length} cards: the next start completes each`,
  needs: ['power', 'card'],
  minutes: 4,
  run: async (scene) => {
    await scene.serving();
    const { target } = scene;
    const wholeSeconds = scene.firstStartSeconds;
    assert.ok(wholeSeconds !== undefined, 'nobody knows how long a first start takes');
    const uncutBytes = await untilGrown(scene, imageDataBytes);
    const uncut = (await scene.status()).conditions.map(({ message }) => message);
    let forgotten = 0;
    const cut = async () => {
      await target.power.off();
      const lost = target.power.forgotten();
      forgotten += (lost?.card ?? 0) + (lost?.disks ?? 0);
    };
    let slowest = 0;
    for (const { starting, serving } of cards) {
      await target.power.off();
      await target.card.flash();
      for (const share of starting) {
        const endMs = performance.now() + share * wholeSeconds * 1000;
        await target.power.on();
        await delay(Math.max(0, endMs - performance.now()));
        await cut();
      }
      await target.power.on();
      await scene.waitUntilServing();
      // What it has told somebody is not to be different after a cut.
      const told = await whoItIs(scene);
      await delay(serving * wholeSeconds * 1000);
      await cut();
      slowest = Math.max(slowest, await scene.powerCycle());
      assert.deepEqual(await whoItIs(scene), told);
      await untilGrown(scene, uncutBytes * grownShareMin);
      await untilConditions(scene, (messages) => messages.every((text) => uncut.includes(text)));
    }
    return `a first start takes ${wholeSeconds.toFixed(0)} s; after ${cuts} cuts, at which the cards forgot ${forgotten} unflushed writes, each serves after at most ${slowest.toFixed(0)} s as one that was left alone, with ${(uncutBytes / 1e9).toFixed(1)} GB for data`;
  },
};

/** By which people and other boxes know it. */
async function whoItIs({ target }: Scene): Promise<{ readonly name: string; readonly memberId: string }> {
  const { box } = await target.console.json<{
    readonly box: { readonly name: string; readonly memberId: string };
  }>('status');
  assert.match(`${box.name} ${box.memberId}`, /^[a-z0-9-]+ [0-9a-f]{32,}$/);
  return { name: box.name, memberId: box.memberId };
}

/** Resolves when there is more room for data than this and it has stopped growing; with how much there is. */
async function untilGrown(scene: Scene, moreThanBytes: number): Promise<number> {
  const endMs = performance.now() + scene.patienceMs(growMs);
  for (let before = 0; ; await delay(2000)) {
    const bytes = await dataBytes(scene);
    if (bytes > moreThanBytes && bytes === before) return bytes;
    assert.ok(
      performance.now() < endMs,
      `the file system for data has ${bytes} bytes, more than ${moreThanBytes} were expected`,
    );
    before = bytes;
  }
}

/** Of the file system for data: its kernel knows at once, what the box itself tells is up to half a minute old. */
async function dataBytes({ target: { root, console, capabilities } }: Scene): Promise<number> {
  if (capabilities['root shell'] === true)
    return Number(await root.run('df --output=size --block-size=1 /data | tail -n 1'));
  const { hardware } = await console.json<{
    readonly hardware: { readonly recordsSpace: { readonly totalBytes: number } | null };
  }>('status');
  return hardware.recordsSpace?.totalBytes ?? 0;
}
