import { diskAnswerMs } from '../../base/limits.ts';
import { sleep } from '../../ports/clock.ts';
import type { SeededEntropy } from '../seeded-entropy.ts';
import type { Ending, SimulatedBox } from './simulated-box.ts';
import type { Host, World } from './world.ts';

/** Endings by how often they are drawn. */
const endings: readonly Ending[] = ['power cut', 'power cut', 'power cut unheard', 'kill', 'kill', 'stop'];

/**
 * What goes wrong in a run, as the seed says. Any box may crash and any part of the network may be cut, but only
 * one box, drawn once, loses what was durable on it: two copies promise no more.
 */
export class Faults {
  readonly #world: World;
  readonly #boxes: readonly SimulatedBox[];
  readonly #desktop: Host;
  readonly #hosts: readonly Host[];
  readonly #entropy: SeededEntropy;
  /** The box whose disks may decay and vanish. */
  readonly unlucky: SimulatedBox;
  /** Something durable was lost on it. */
  damaged = false;
  /** That box, once it is gone with all its disks. */
  lost: SimulatedBox | undefined;
  readonly #busy = new Set<SimulatedBox>();
  #stopped = false;
  /** Faults that end by themselves. */
  readonly #underway = new Set<Promise<void>>();
  #scheduling: Promise<void> = Promise.resolve();

  constructor(world: World, boxes: readonly SimulatedBox[], desktop: Host) {
    this.#world = world;
    this.#boxes = boxes;
    this.#desktop = desktop;
    this.#hosts = [...boxes.map(({ host }) => host), desktop];
    this.#entropy = world.stream('faults');
    this.unlucky = boxes[this.#entropy.below(boxes.length)]!;
  }

  start(): void {
    this.#scheduling = this.#schedule();
  }

  /** No more faults; resolves when the network is whole and every box is on its way up again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#scheduling;
    await Promise.all(this.#underway);
    this.#world.heal();
    for (const { stateDisk, volumes } of this.#boxes) {
      for (const disk of [stateDisk, ...volumes.map((volume) => volume.disk)]) disk.resize(2 ** 40);
    }
  }

  async #schedule(): Promise<void> {
    while (!this.#stopped) {
      // Now and then long enough for everything to settle.
      const quietMs = this.#entropy.chance(0.04) ? 100_000 : 200 + this.#entropy.below(5000);
      await sleep(this.#world.clock, quietMs);
      if (this.#stopped) return;
      const fault = this.#draw();
      this.#underway.add(fault);
      fault.finally(() => this.#underway.delete(fault));
    }
  }

  #draw(): Promise<void> {
    const draw = this.#entropy.below(100);
    if (draw < 40) return this.#endProgram(this.#one(this.#boxes), this.#one(endings));
    if (draw < 46) return this.#cutPowerEverywhere();
    if (draw < 73) return this.#cut();
    if (draw < 80) return this.#fill();
    if (draw < 85) return this.#hang();
    if (draw < 96) return this.#flip();
    return draw < 98 ? this.#vanish() : this.#lose();
  }

  /** One fault at a time is in charge of a box. One that is still starting is hit like any other. */
  async #endProgram(box: SimulatedBox, how: Ending): Promise<void> {
    if (box.isDown || this.#busy.has(box)) return;
    this.#busy.add(box);
    await box.end(how);
    await sleep(this.#world.clock, this.#entropy.below(this.#entropy.chance(0.5) ? 2000 : 40_000));
    // Not waited for: it may be ended again while it starts.
    void box.start();
    this.#busy.delete(box);
  }

  async #cutPowerEverywhere(): Promise<void> {
    this.#world.trace.event('mains', 'power cut everywhere');
    await Promise.all(this.#boxes.map((box) => this.#endProgram(box, 'power cut')));
  }

  /** The unlucky box burns down, sometimes when nobody but the desktop had reached it for a while. */
  async #lose(): Promise<void> {
    const box = this.unlucky;
    if (this.#boxes.length < 2 || box.isDown || this.#busy.has(box)) return;
    this.#busy.add(box);
    if (this.#entropy.chance(0.5)) {
      this.#world.partition([box.host, this.#desktop]);
      this.#world.trace.event('network', 'cut', `${box.name} ${this.#desktop.name}`);
      await sleep(this.#world.clock, 30_000);
    }
    this.damaged = true;
    this.lost = box;
    await box.end('lost for good');
    this.#world.heal();
  }

  async #cut(): Promise<void> {
    const cutOff = this.#hosts.filter(() => this.#entropy.chance(0.4));
    if (cutOff.length === 0 || cutOff.length === this.#hosts.length) return;
    this.#world.partition(cutOff);
    this.#world.trace.event('network', 'cut', cutOff.map(({ name }) => name).join(' '));
    await sleep(this.#world.clock, this.#entropy.below(this.#entropy.chance(0.5) ? 3000 : 60_000));
    this.#world.heal();
    this.#world.trace.event('network', 'healed');
  }

  async #fill(): Promise<void> {
    const box = this.#one(this.#boxes);
    const disks = [box.stateDisk, ...box.volumes.map(({ disk }) => disk)];
    const index = this.#entropy.below(disks.length);
    disks[index]!.fillUp();
    this.#world.troubledDisks++;
    this.#world.disturb();
    this.#world.trace.event(box.name, 'disk full', index === 0 ? 'state' : `disk${index}`);
    await sleep(this.#world.clock, this.#entropy.below(40_000));
    disks[index]!.resize(4 * 2 ** 30);
    this.#world.troubledDisks--;
    this.#world.disturb();
  }

  /** Sometimes shorter than a box waits for a disk. */
  async #hang(): Promise<void> {
    const box = this.#one(this.#boxes);
    const { hang, name } = this.#one(box.volumes);
    hang.hang();
    this.#world.troubledDisks++;
    this.#world.disturb();
    this.#world.trace.event(box.name, 'disk hangs', name);
    await sleep(this.#world.clock, this.#entropy.below(2 * diskAnswerMs));
    hang.answer();
    this.#world.trace.event(box.name, 'disk answers', name);
    this.#world.troubledDisks--;
    this.#world.disturb();
  }

  async #flip(): Promise<void> {
    const { disk, gone, name } = this.#one(this.unlucky.volumes);
    const segments = disk.paths().filter((path) => path.startsWith('segments/'));
    if (gone || segments.length === 0) return;
    const path = this.#one(segments);
    const offset = this.#entropy.below(Math.max(1, disk.contents(path).length));
    disk.corrupt(path, offset, this.#entropy.below(8));
    this.damaged = true;
    this.#world.trace.event(this.unlucky.name, 'bit flipped', `${name}/${path} at ${offset}`);
    this.#world.disturb();
  }

  async #vanish(): Promise<void> {
    const volume = this.unlucky.volumes[0]!;
    if (volume.gone) return;
    volume.gone = true;
    volume.disk.vanish();
    volume.index.fail('DISK_GONE');
    this.damaged = true;
    this.#world.trace.event(this.unlucky.name, 'disk vanished', volume.name);
    this.#world.disturb();
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#entropy.below(items.length)]!;
  }
}
