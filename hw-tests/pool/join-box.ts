import type { Scene } from '../scene.ts';

/** A new box with one disk, in the pool of the first. */
export async function joinBox(scene: Scene): Promise<Scene> {
  const other = scene.besides(await scene.target.addBox());
  await other.target.disks.attach(1024 ** 3);
  await other.target.power.on();
  await other.waitUntilServing();
  await other.adoptDisk();
  await other.claim();
  return other;
}
