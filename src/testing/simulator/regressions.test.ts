import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../ports/clock.ts';
import { SimulatedBox } from './simulated-box.ts';
import { SimulatedDesktop } from './simulated-desktop.ts';
import { World } from './world.ts';

/** A pool of `count` boxes, and its desktop, with nothing going wrong. */
async function pool(count: number, story: (boxes: readonly SimulatedBox[], world: World) => Promise<void>) {
  const world = new World(1);
  const desktop = await SimulatedDesktop.make(world, 'desktop');
  const boxes: SimulatedBox[] = [];
  for (let number = 1; number <= count; number++) boxes.push(await SimulatedBox.make(world, `box${number}`));
  const tell = async () => {
    await Promise.all(boxes.map((box) => box.start()));
    await desktop.makePool(boxes);
    await sleep(world.clock, 10_000);
    await story(boxes, world);
  };
  await world.clock.runUntil(tell());
  assert.deepEqual(world.violations, []);
}

test('a box whose state disk is full, and whose capacity has changed, starts and serves all the same', () =>
  pool(1, async ([box], world) => {
    await box!.end('kill');
    box!.stateDisk.fillUp();
    box!.volumes[0]!.disk.vanish();
    box!.volumes[1]!.disk.vanish();
    await box!.start();
    assert.equal(world.trace.counts().get('start failed'), undefined);
    assert.equal(box!.box!.status().volumes.length, 2);
  }));
