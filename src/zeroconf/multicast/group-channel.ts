import type { Bytes } from '../../base/bytes.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Datagram, MulticastNetwork } from '../../ports/datagram.ts';
import type { Disk } from '../../ports/disk.ts';
import { type Entropy, uniform } from '../../ports/entropy.ts';
import { ethernetAddressOf, type GroupAddresses, groupAddressesOf } from './group-address.ts';
import { GroupLinks } from './group-links.ts';
import {
  type GroupAction,
  type GroupEvent,
  type GroupState,
  groupDueMs,
  groupMemberFacts,
  groupStep,
  type HeardAction,
  type RefusedCounts,
  startGroup,
} from './group-machine.ts';
import { type GroupMessage, sealGroupMessage } from './group-message.ts';
import type { GroupMemberFacts } from './group-sender.ts';
import { nextGroupSession } from './group-session.ts';

export interface GroupChannelOptions {
  readonly pool: Bytes;
  /** 32 bytes that the members of the pool's present epoch hold, and nobody else. */
  readonly groupKey: Bytes;
  /** The own member id. */
  readonly self: Bytes;
  /** What this box has to say at this moment. */
  readonly compose: () => Omit<GroupMessage, 'kind'>;
  readonly onHeard: (heard: HeardAction) => void;
}

export interface GroupChannelPorts {
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** The state folder. */
  readonly disk: Disk;
}

export interface GroupChannelFacts {
  readonly groups: readonly GroupFacts[];
  readonly members: readonly GroupMemberFacts[];
  readonly refused: RefusedCounts;
  /** Packets sent, each on every link. */
  readonly sent: number;
}

export interface GroupFacts {
  readonly address: string;
  readonly ethernet: string;
  /** Interfaces it is joined on. */
  readonly interfaces: readonly string[];
}

/**
 * Says to the other members of the pool now and then, and when something has changed, what this box has, and hears
 * the same of them, on one multicast group of each family. All of it is a hint: whoever never hears any finds out
 * later by asking.
 */
export class GroupChannel {
  readonly #options: GroupChannelOptions;
  readonly #ports: GroupChannelPorts;
  readonly #groups: GroupAddresses;
  readonly #links: GroupLinks;
  #state: GroupState;
  #timer: Timer | undefined;
  #closed = false;

  private constructor(options: GroupChannelOptions, ports: GroupChannelPorts, session: Bytes) {
    this.#options = options;
    this.#ports = { ...ports, log: ports.log.part('group') };
    this.#groups = groupAddressesOf(options.pool);
    this.#state = startGroup({ ...options, session }, ports.clock.monotonicMs(), uniform(ports.entropy));
    this.#links = new GroupLinks(
      this.#groups,
      {
        opened: () => this.#run({ kind: 'linked', draw: this.#draw() }),
        received: (interfaceName, datagram) => this.#receive(interfaceName, datagram),
      },
      this.#ports,
    );
  }

  /** Resolves when the groups are joined on the interfaces that are there now. */
  static async start(options: GroupChannelOptions, ports: GroupChannelPorts): Promise<GroupChannel> {
    const channel = new GroupChannel(options, ports, await nextGroupSession(ports));
    await channel.#links.start();
    channel.#schedule();
    return channel;
  }

  /** Believes these from now on, this box left out, and nobody else. */
  setMembers(memberIds: readonly Bytes[]): void {
    this.#run({ kind: 'members', memberIds });
  }

  /** Says soon what has changed. */
  hint(): void {
    this.#run({ kind: 'changed', draw: this.#draw() });
  }

  facts(): GroupChannelFacts {
    const { ipv4, ipv6 } = this.#groups;
    return {
      groups: [
        { address: ipv4, ethernet: ethernetAddressOf(ipv4), interfaces: this.#links.joined('ipv4') },
        { address: ipv6, ethernet: ethernetAddressOf(ipv6), interfaces: this.#links.joined('ipv6') },
      ],
      members: groupMemberFacts(this.#state, this.#ports.clock.monotonicMs()),
      refused: this.#state.refused,
      sent: this.#state.own.counter - this.#state.own.first,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#links.close();
  }

  #receive(interfaceName: string, { bytes, from, multicast }: Datagram): void {
    // Nobody has reason to send to this box alone; a stranger farther away than a group reaches would.
    if (!multicast) return;
    this.#run({ kind: 'packet', bytes, from: { interfaceName, address: from.address } });
  }

  #run(event: GroupEvent): void {
    if (this.#closed) return;
    const { state, actions } = groupStep(this.#state, event, this.#ports.clock.monotonicMs());
    this.#state = state;
    for (const action of actions) this.#act(action);
    this.#schedule();
  }

  #act(action: GroupAction): void {
    switch (action.kind) {
      case 'send': {
        const message = { ...this.#options.compose(), kind: action.messageKind };
        this.#links.send(sealGroupMessage(this.#state.own.key, action.header, message));
        return;
      }
      case 'heard':
        this.#options.onHeard(action);
        return;
      case 'rejoin':
        this.#ports.log.debug('nobody heard, joining the groups again');
        void this.#links.rejoin();
    }
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { clock } = this.#ports;
    const delayMs = Math.max(0, groupDueMs(this.#state) - clock.monotonicMs());
    this.#timer = clock.after(delayMs, () => this.#run({ kind: 'tick', draw: this.#draw() }));
  }

  #draw(): number {
    return uniform(this.#ports.entropy);
  }
}
