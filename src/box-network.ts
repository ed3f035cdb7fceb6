import { networkHostsShownMax } from './base/discovery-limits.ts';
import type { Log } from './base/log.ts';
import type { Box } from './box.ts';
import { BoxAnnouncer, type WebPorts } from './box-announcer.ts';
import { BoxGroup } from './box-group.ts';
import type { ArpNetwork } from './ports/arp-network.ts';
import type { Clock } from './ports/clock.ts';
import type { MulticastNetwork } from './ports/datagram.ts';
import type { Disk } from './ports/disk.ts';
import type { Entropy } from './ports/entropy.ts';
import type { LinkTable } from './ports/link-table.ts';
import {
  type AddressFacts,
  type InterfaceFacts,
  type NetworkFacts,
  noNetworkFacts,
  type ServiceFacts,
} from './status/facts.ts';
import { LinkLocal } from './zeroconf/ipv4ll/link-local.ts';
import type { LinkLocalMode } from './zeroconf/ipv4ll/policy.ts';
import { NetworkMemory } from './zeroconf/network-memory.ts';

export interface BoxNetworkOptions {
  /** Where the box listens: `::` or `0.0.0.0` for every address. Nothing else is announced. */
  readonly listenHost: string;
  readonly linkLocal: LinkLocalMode;
}

export interface BoxNetworkPorts {
  readonly network: MulticastNetwork;
  /** The kernel's view of links; undefined where the system has none that we know. */
  readonly kernel: { readonly links: LinkTable; readonly arp: ArpNetwork } | undefined;
  /** Who else answers multicast DNS on this computer, by name. */
  readonly otherResponders: () => readonly string[];
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** Everything by which a box gets an address and is found: link-local addresses, names and services. */
export class BoxNetwork {
  readonly #options: BoxNetworkOptions;
  readonly #ports: BoxNetworkPorts;
  readonly #memory: NetworkMemory;
  readonly #linkLocal: LinkLocal | undefined;
  #announcer: BoxAnnouncer | undefined;
  #group: BoxGroup | undefined;
  #sharesPortWith: readonly string[] = [];

  private constructor(options: BoxNetworkOptions, ports: BoxNetworkPorts, memory: NetworkMemory) {
    const { kernel, clock, entropy, log } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#memory = memory;
    if (kernel !== undefined) {
      const mode = options.linkLocal;
      this.#linkLocal = LinkLocal.start({ mode, memory }, { ...kernel, clock, entropy, log });
    } else if (options.linkLocal !== 'never') {
      log.part('ipv4ll').info('this system gives no way to claim link-local addresses');
    }
  }

  /** Starts to give interfaces an address where nobody else does. */
  static async open(options: BoxNetworkOptions, ports: BoxNetworkPorts): Promise<BoxNetwork> {
    const memory = await NetworkMemory.open(ports.stateDisk, { log: ports.log.part('mdns') });
    return new BoxNetwork(options, ports, memory);
  }

  /** Claims the names of a box that listens on `port`, announces it, tells it of others, and joins its pool's group. */
  async announce(box: Box, port: number, web?: WebPorts): Promise<void> {
    const { clock, entropy, log } = this.#ports;
    this.#sharesPortWith = this.#ports.otherResponders();
    if (this.#sharesPortWith.length > 0)
      log.part('mdns').info('port 5353 is shared', { with: this.#sharesPortWith.join(', ') });
    const ports = { network: this.multicast, clock, entropy, log };
    this.#announcer = await BoxAnnouncer.start(box, { port, web }, { ...ports, memory: this.#memory });
    this.#group = await BoxGroup.start(box, { ...ports, stateDisk: this.#ports.stateDisk });
  }

  get listenHost(): string {
    return this.#options.listenHost;
  }

  /** The network as far as the box answers on it. */
  get multicast(): MulticastNetwork {
    return listening(this.#ports.network, this.#options.listenHost);
  }

  /** Other programs of this computer that answer multicast DNS. */
  get sharesPortWith(): readonly string[] {
    return this.#sharesPortWith;
  }

  facts(): Omit<NetworkFacts, 'port'> {
    const facts = {
      ...noNetworkFacts,
      interfaces: this.#interfaces(),
      sharesPortWith: this.#sharesPortWith,
      multicast: this.#group?.facts() ?? null,
    };
    const announced = this.#announcer?.facts();
    if (announced === undefined) return facts;
    const { links, hostName, conflicts, services, refused, heard } = announced;
    const held = links
      .flatMap(({ names }) => names)
      .some((one) => one.name === hostName && one.standing === 'held');
    return {
      ...facts,
      announcedNames: held ? [hostName] : [],
      services: services.flatMap(({ instance, type, port }): readonly ServiceFacts[] =>
        port === undefined ? [] : [{ instance, type, port }],
      ),
      conflicts,
      refused: { ...refused, arp: this.#framesRefused() },
      heard: heard
        .filter(({ host }) => host !== hostName)
        .slice(0, networkHostsShownMax)
        .map(({ host, address, agoMs }) => ({ host, address, agoMs })),
    };
  }

  /** Says goodbye: the box is about to stop. */
  async withdraw(): Promise<void> {
    await this.#announcer?.close();
    await this.#group?.close();
    this.#group = undefined;
    this.#announcer = undefined;
  }

  /** Names and addresses chosen before are not asked for again. */
  async forget(): Promise<void> {
    this.#memory.forget();
    await this.#memory.settled();
  }

  /** Withdraws, takes our addresses off the interfaces, and keeps what is to be remembered. */
  async close(): Promise<void> {
    await this.withdraw();
    await this.#linkLocal?.close();
    await this.#memory.settled();
  }

  #framesRefused(): number {
    const claims = this.#linkLocal?.facts() ?? [];
    return claims.reduce((sum, { framesRefused }) => sum + framesRefused, 0);
  }

  #interfaces(): readonly InterfaceFacts[] {
    const { kernel, network } = this.#ports;
    const claims = this.#linkLocal?.facts() ?? [];
    const links = kernel?.links.links() ?? [];
    // Where nothing could ever carry, boxes are tried out on loopback.
    if (!links.some(({ isUp, isEthernet }) => isUp || isEthernet)) {
      return network.interfaces().map(({ name, addresses }) => ({
        name,
        addresses: addresses.map(({ address }): AddressFacts => ({ address, origin: null })),
        linkLocal: null,
      }));
    }
    const known = links.filter(({ isUp }) => isUp);
    return known.map(({ name, addresses }) => {
      const claim = claims.find(({ interfaceName }) => interfaceName === name);
      return {
        name,
        addresses: addresses.map(({ address, origin }): AddressFacts => ({ address, origin })),
        linkLocal:
          claim === undefined
            ? null
            : {
                phase: claim.phase,
                address: claim.address,
                reason: claim.reason,
                conflicts: claim.conflicts,
              },
      };
    });
  }
}

/** The network as far as a box answers on it: one that listens on one address is announced with that one only. */
function listening(network: MulticastNetwork, host: string): MulticastNetwork {
  if (host === '::' || host === '0.0.0.0') return network;
  return {
    interfaces: () =>
      network.interfaces().flatMap((one) => {
        const addresses = one.addresses.filter(({ address }) => address === host);
        return addresses.length === 0 ? [] : [{ ...one, addresses }];
      }),
    onChange: (listener) => network.onChange(listener),
    open: (options) => network.open(options),
  };
}
