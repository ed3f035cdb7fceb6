import assert from 'node:assert/strict';
import { SimulatedBox } from './simulated-box.ts';
import { SimulatedDesktop } from './simulated-desktop.ts';
import { World } from './world.ts';

export interface PoolScene {
  readonly world: World;
  readonly desktop: SimulatedDesktop;
  readonly boxes: readonly SimulatedBox[];
}

export interface InPoolOptions {
  /** Looks at the boxes when they have started and belong to nobody. */
  readonly unclaimed?: (boxes: readonly SimulatedBox[]) => void;
  /** How much virtual time the story may take; default 10 minutes. */
  readonly virtualMsMax?: number;
}

/** Tells `story` of a pool of `count` boxes, that were started unclaimed and claimed while they ran; no invariant may break. */
export async function inPool(
  count: number,
  story: (scene: PoolScene) => Promise<void>,
  { unclaimed = () => {}, virtualMsMax }: InPoolOptions = {},
): Promise<void> {
  const world = new World(1);
  const desktop = await SimulatedDesktop.make(world, 'desktop');
  const boxes: SimulatedBox[] = [];
  for (let number = 1; number <= count; number++) boxes.push(await SimulatedBox.make(world, `box${number}`));
  const tell = async () => {
    await Promise.all(boxes.map((box) => box.start()));
    unclaimed(boxes);
    await desktop.makePool(boxes);
    await story({ world, desktop, boxes });
  };
  await world.clock.runUntil(tell(), virtualMsMax);
  assert.deepEqual(world.violations, []);
}
