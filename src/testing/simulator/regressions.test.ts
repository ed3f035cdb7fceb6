import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../ports/clock.ts';
import { inPool } from './in-pool.ts';
import type { SimulatedBox } from './simulated-box.ts';
import type { World } from './world.ts';

function pool(count: number, story: (boxes: readonly SimulatedBox[], world: World) => Promise<void>) {
  return inPool(count, async ({ boxes, world }) => {
    await sleep(world.clock, 10_000);
    await story(boxes, world);
  });
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
