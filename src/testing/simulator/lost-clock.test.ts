import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from '../../ports/clock.ts';
import { inPool, type PoolScene } from './in-pool.ts';
import type { SimulatedBox } from './simulated-box.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** When the story is told, all boxes have the same logs. */
function pool(count: number, story: (scene: PoolScene) => Promise<void>): Promise<void> {
  const told = async (scene: PoolScene) => {
    const { boxes, world } = scene;
    await write(boxes, 'before');
    await story(scene);
    await sleep(world.clock, minute);
    const lengths = (box: SimulatedBox) =>
      boxes.map(({ identity }) => box.logBytes(identity.memberId)).join();
    assert.deepEqual(
      boxes.map(lengths),
      boxes.map(() => lengths(boxes[0]!)),
    );
  };
  return inPool(count, told, { virtualMsMax: day });
}

async function write(boxes: readonly SimulatedBox[], what: string): Promise<void> {
  for (const { box, name } of boxes) await box!.pool!.files.makeDirectory([`${what}, by ${name}`]);
}

async function startLate(boxes: readonly SimulatedBox[], lateMs: number): Promise<void> {
  for (const box of boxes) {
    box.clockLateMs = lateMs;
    await box.start();
  }
}

test('a box whose clock is a month late after a power cut takes records of the others, and writes', () =>
  pool(3, async ({ world, boxes }) => {
    const [first, second, third] = boxes;
    await third!.end('power cut');
    await sleep(world.clock, 3 * hour);
    await write([first!, second!], 'meanwhile');
    await startLate([third!], 30 * day);
    await sleep(world.clock, minute);
    await write(boxes, 'after');
  }));

for (const offFirst of [1, 2]) {
  test(`boxes of which none knows the time go on together, though ${offFirst} of 3 was off for longer`, () =>
    pool(3, async ({ world, boxes }) => {
      const stayed = boxes.slice(offFirst);
      for (const box of boxes.slice(0, offFirst)) await box.end('power cut');
      await sleep(world.clock, 3 * hour);
      await write(stayed, 'meanwhile');
      for (const box of stayed) await box.end('power cut');
      await startLate(boxes, 30 * day);
      await sleep(world.clock, minute);
      // What one stamps that goes on from its last record is too new for one that goes on from three hours before.
      await write(stayed.slice(0, 1), 'after');
    }));
}

test('what a box has room for counts also when it said so last while its clock was ahead', () =>
  inPool(1, async ({ world, boxes: [box] }) => {
    const room = () => box!.box!.status().pool!.rawBytes;
    await sleep(world.clock, minute);
    const before = room();
    await box!.end('power cut');
    box!.volumes[1]!.gone = true;
    box!.volumes[1]!.disk.vanish();
    await startLate([box!], 30 * day);
    await sleep(world.clock, minute);
    assert.ok(room() < before, `${room()} of ${before} bytes`);
  }));
