import { type Bytes, toHex } from '../../base/bytes.ts';
import { describeError } from '../../base/errors.ts';
import { Box, defaultReplicas } from '../../box.ts';
import { BoxAnnouncer } from '../../box-announcer.ts';
import { BoxGroup } from '../../box-group.ts';
import { type Identity, loadOrCreateIdentity } from '../../pool/identity.ts';
import { PoolTime } from '../../pool/pool-time.ts';
import { sleep } from '../../ports/clock.ts';
import { type MulticastFacts, noNetworkFacts } from '../../status/facts.ts';
import { NetworkMemory } from '../../zeroconf/network-memory.ts';
import { fakeCompute } from '../fake-compute.ts';
import { Hang, HangingDisk } from '../hanging-disk.ts';
import { MemoryDisk } from '../memory-disk.ts';
import { MemoryKeyValueStore } from '../memory-key-value-store.ts';
import { Life } from './life.ts';
import type { Host, World } from './world.ts';

export const boxPort = 4000;
const diskBytes = 4 * 2 ** 30;
/** Small, so that a run begins many. */
const segmentBytes = 512 * 1024;
/** A box that cannot start is tried again by its supervisor. */
const restartDelayMs = 5000;
/** A clean stop that takes longer hangs. */
const stopMsMax = 60_000;

export interface SimulatedVolume {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly index: MemoryKeyValueStore;
  /** Of disk and index, which lies on it. */
  readonly hang: Hang;
  /** Pulled out: it stays away when the box restarts. */
  gone: boolean;
}

/** What ends a program: its power, a kill (its disks keep what was written), its own will, or a fire. */
export type Ending = 'power cut' | 'power cut unheard' | 'kill' | 'stop' | 'lost for good';

/** One appliance: disks that outlive its program, and the production `Box` in as many lives as the run gives it. */
export class SimulatedBox {
  readonly host: Host;
  readonly identity: Identity;
  readonly stateDisk: MemoryDisk;
  readonly volumes: readonly SimulatedVolume[];
  /** How late its clock is when it starts, which nothing has set then; 0: it is set. */
  clockLateMs = 0;
  readonly #world: World;
  readonly #treeIndex: MemoryKeyValueStore;
  #life: Life | undefined;
  #lives = 0;
  #box: Box | undefined;
  #announcer: BoxAnnouncer | undefined;
  #group: BoxGroup | undefined;

  private constructor(world: World, host: Host, identity: Identity, stateDisk: MemoryDisk) {
    this.#world = world;
    this.host = host;
    this.identity = identity;
    this.stateDisk = stateDisk;
    this.#treeIndex = this.#store('tree');
    this.volumes = ['disk1', 'disk2'].map((name) => {
      const hang = new Hang();
      const disk = new MemoryDisk({ entropy: world.stream(`${host.name} ${name}`), totalBytes: diskBytes });
      return { name, disk, index: this.#store(name, hang), hang, gone: false };
    });
  }

  /** Call it while the clock stands still: the certificate is made on threads that no seed determines. */
  static async make(world: World, name: string): Promise<SimulatedBox> {
    const entropy = world.stream(`${name} state`);
    const stateDisk = new MemoryDisk({ entropy, totalBytes: diskBytes });
    const identity = await loadOrCreateIdentity(stateDisk, { clock: world.clock, entropy });
    return new SimulatedBox(world, world.addHost(name), identity, stateDisk);
  }

  get name(): string {
    return this.host.name;
  }

  /** The program that runs now; undefined while it is down or still starting. */
  get box(): Box | undefined {
    return this.#box;
  }

  /** What is known of the pool's multicast group; null before it is joined. */
  get multicast(): MulticastFacts | null {
    return this.#group?.facts() ?? null;
  }

  get isDown(): boolean {
    return this.#life === undefined;
  }

  /** Gives the host power and runs the program until it listens; its supervisor tries again when it cannot. */
  async start(): Promise<void> {
    this.#world.network.restart(this.host.address);
    for (;;) {
      const life = new Life(this.#world.clock, this.#world.stream(`${this.name} delays ${++this.#lives}`));
      this.#life = life;
      try {
        await this.#run(life);
        break;
      } catch (error) {
        this.#world.trace.event(this.name, 'start failed', describeError(error));
        this.#endLife('reset');
        this.#life = new Life(this.#world.clock, this.#world.stream('supervisor'));
        await sleep(this.#life.clock, restartDelayMs);
      }
    }
    this.#world.trace.event(this.name, 'started');
    this.#world.down.delete(this.name);
    this.#world.disturb();
  }

  async end(how: Ending): Promise<void> {
    if (how !== 'lost for good') this.#world.down.add(this.name);
    if (how === 'stop') await this.#stop();
    this.#world.trace.event(this.name, how);
    this.#endLife(how === 'power cut unheard' || how === 'lost for good' ? 'silent' : 'reset');
    if (how === 'power cut' || how === 'power cut unheard') this.#losePower();
    this.#world.disturb();
  }

  #endLife(network: 'reset' | 'silent'): void {
    this.#life?.end();
    this.#life = undefined;
    this.#box = undefined;
    this.#announcer = undefined;
    this.#group = undefined;
    for (const socket of this.host.multicast.sockets) void socket.close();
    this.#world.network.crash(this.host.address, network);
  }

  #losePower(): void {
    this.stateDisk.crash();
    this.#treeIndex.crash();
    for (const { disk, index, gone } of this.volumes) {
      disk.crash();
      index.crash();
      if (gone) disk.vanish();
    }
  }

  async #stop(): Promise<void> {
    const box = this.#box;
    const life = this.#life;
    if (box === undefined || life === undefined) return;
    const hangs = this.#world.clock.after(stopMsMax, () => {
      if (life.alive) this.#world.violate(`${this.name} does not stop`);
    });
    await this.#announcer?.close();
    await this.#group?.close();
    await box.close();
    hangs.cancel();
  }

  async #run(life: Life): Promise<void> {
    const lateMs = this.clockLateMs;
    const time = new PoolTime({ ...life.clock, wallMs: () => life.clock.wallMs() - lateMs });
    time.judgeBy(() => lateMs === 0);
    const { clock } = time;
    const entropy = this.#world.stream(`${this.name} program ${this.#lives}`);
    const log = this.#world.log(this.name);
    const network = life.multicast(this.host.multicast);
    const stateDisk = life.disk(this.stateDisk);
    const volumes = this.volumes.map(({ name, disk, index, hang }) => ({
      name,
      disk: new HangingDisk(life.disk(disk), hang),
      openIndex: async () => life.store(index),
      segmentBytes,
    }));
    const box = await Box.open(
      {
        name: this.name,
        listen: { host: '::', port: boxPort },
        volumes,
        replicas: defaultReplicas,
        suite: 'aes-256-gcm',
      },
      {
        clock,
        time,
        entropy,
        log,
        compute: fakeCompute,
        stateDisk,
        openTreeIndex: async () => life.store(this.#treeIndex),
        transportFor: (identity) => life.transport(this.#world.transportFor(this.host, identity)),
        network: () => noNetworkFacts,
      },
    );
    const port = await box.start();
    const memory = await NetworkMemory.open(stateDisk, { log });
    this.#announcer = await BoxAnnouncer.start(box, { port }, { network, clock, entropy, log, memory });
    this.#group = await BoxGroup.start(box, {
      network,
      clock,
      entropy: this.#world.stream(`${this.name} group ${this.#lives}`),
      log,
      stateDisk,
    });
    this.#box = box;
  }

  #store(purpose: string, hang = new Hang()): MemoryKeyValueStore {
    const { clock } = this.#world;
    const entropy = this.#world.stream(`${this.host.name} index ${purpose}`);
    // The same for all, so that they end in their order.
    const commit = async () => {
      await hang.turn();
      await sleep(clock, 15);
    };
    return new MemoryKeyValueStore({ entropy, commit });
  }

  /** Length of what its disk has of a box's log; the same records are as long everywhere. */
  logBytes(author: Bytes): number {
    const path = `log/${toHex(author)}.log`;
    return this.stateDisk.paths().includes(path) ? this.stateDisk.contents(path).length : 0;
  }
}
