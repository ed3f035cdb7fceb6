import { toHex } from './base/bytes.ts';
import type { Log } from './base/log.ts';
import type { Box } from './box.ts';
import type { BoxPool } from './box-pool.ts';
import { decodePoolSummary, encodePoolSummary } from './files/pool-summary.ts';
import type { Clock } from './ports/clock.ts';
import type { MulticastNetwork } from './ports/datagram.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { MulticastFacts } from './status/facts.ts';
import { GroupChannel } from './zeroconf/multicast/group-channel.ts';
import type { HeardAction } from './zeroconf/multicast/group-machine.ts';
import { groupSummaryBytesMax } from './zeroconf/multicast/group-message.ts';

export interface BoxGroupPorts {
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly stateDisk: Disk;
}

/**
 * The multicast group of a box's pool, from when it belongs to one: says what this box has, takes what the others say
 * to the box, and has the box ask whoever has more.
 */
export class BoxGroup {
  readonly #box: Box;
  readonly #ports: BoxGroupPorts;
  #opening: Promise<void> | undefined;
  #channel: GroupChannel | undefined;
  #unsubscribe: readonly (() => void)[];
  /** Counts what was said, so that every author of many has its turn. */
  #turn = 0;
  #closed = false;

  private constructor(box: Box, ports: BoxGroupPorts) {
    this.#box = box;
    this.#ports = ports;
    this.#unsubscribe = [box.onChange(() => this.#enter())];
  }

  /** Call it when the box has started. Resolves when the groups are joined, where the box is claimed by now. */
  static async start(box: Box, ports: BoxGroupPorts): Promise<BoxGroup> {
    const group = new BoxGroup(box, ports);
    group.#enter();
    await group.#opening;
    return group;
  }

  /** Null while the box belongs to no pool. */
  facts(): MulticastFacts | null {
    const channel = this.#channel;
    const pool = this.#box.pool;
    if (channel === undefined || pool === undefined) return null;
    const { groups, members, refused, sent } = channel.facts();
    const names = new Map(pool.others().map(({ memberId, name }) => [toHex(memberId), name]));
    return {
      groups,
      members: members.map(({ memberId, heard, lost, refused: refusedOfIt }) => ({
        name: names.get(toHex(memberId)) ?? toHex(memberId).slice(0, 8),
        memberId: toHex(memberId),
        address: heard?.address ?? null,
        heardAgoMs: heard?.agoMs ?? null,
        freeGiB: heard?.freeGiB ?? null,
        lost,
        refused: refusedOfIt,
      })),
      sent,
      foreign: refused.foreign,
      strangers: refused.strangers,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#opening;
    await this.#channel?.close();
  }

  #enter(): void {
    const pool = this.#box.pool;
    if (pool === undefined || this.#opening !== undefined || this.#closed) return;
    this.#opening = this.#open(pool);
  }

  async #open(pool: BoxPool): Promise<void> {
    const { stateDisk: disk, ...ports } = this.#ports;
    const channel = await GroupChannel.start(
      {
        pool: this.#box.poolId!,
        groupKey: pool.groupKey(),
        self: this.#box.identity.memberId,
        compose: () => this.#compose(pool),
        onHeard: (heard) => this.#hear(pool, heard),
      },
      { ...ports, disk },
    );
    if (this.#closed) return channel.close();
    this.#channel = channel;
    const meet = () => channel.setMembers(pool.others().map(({ memberId }) => memberId));
    meet();
    const unsubscribe = pool.onGrowth((what) => {
      if (what === 'members') meet();
      channel.hint();
    });
    this.#unsubscribe = [...this.#unsubscribe, unsubscribe];
  }

  #compose(pool: BoxPool) {
    const { network, capacity } = this.#box.status();
    return {
      port: network.port ?? 0,
      freeGiB: Math.floor(capacity.freeBytes / 2 ** 30),
      summary: encodePoolSummary(pool.summary(), {
        first: toHex(this.#box.identity.memberId),
        turn: this.#turn++,
        bytesMax: groupSummaryBytesMax,
      }),
    };
  }

  #hear(pool: BoxPool, { memberId, from, message }: HeardAction): void {
    const zone = from.address.toLowerCase().startsWith('fe80:') ? `%${from.interfaceName}` : '';
    if (message.port > 0) {
      this.#box.heard(memberId, [{ host: `${from.address}${zone}`, port: message.port }]);
    }
    const summary = decodePoolSummary(message.summary);
    if (summary !== undefined) pool.hear(memberId, summary);
  }
}
