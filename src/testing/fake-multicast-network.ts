import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type {
  Datagram,
  DatagramAddress,
  MulticastErrorCode,
  MulticastNetwork,
  MulticastOptions,
  MulticastSocket,
  NetworkInterface,
} from '../ports/datagram.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export interface FakeLanOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Of each copy of a packet on its way to another host. */
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  /** Uniform between these. */
  readonly delayMs?: { readonly least: number; readonly most: number };
}

/** What passed on a wire: for tests that look at the packets themselves. */
export interface CapturedPacket {
  readonly atMs: number;
  readonly host: string;
  readonly interfaceName: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly from: DatagramAddress;
  /** Undefined when it was to the group. */
  readonly to: DatagramAddress | undefined;
  readonly bytes: Bytes;
}

/** Hosts on wires (named segments) that lose, delay, duplicate and cut, as a seed determines. */
export class FakeLan {
  readonly #options: FakeLanOptions;
  readonly #entropy: SeededEntropy;
  readonly #hosts = new Map<string, FakeMulticastNetwork>();
  readonly captured: CapturedPacket[] = [];
  #groups: readonly (readonly string[])[] = [];
  #eaten: (group: string) => boolean = () => false;

  constructor(options: FakeLanOptions) {
    this.#options = options;
    this.#entropy = new SeededEntropy(options.seed);
  }

  /** A host with one interface `eth0` on the segment `lan`, or with what `connect` gives it later. */
  host(name: string, interfaces?: readonly FakeInterface[]): FakeMulticastNetwork {
    const number = this.#hosts.size + 1;
    const host = new FakeMulticastNetwork(name, this, interfaces ?? [fakeInterface('eth0', number)]);
    this.#hosts.set(name, host);
    return host;
  }

  /** From now on only hosts of one group hear each other; hosts in no group hear everybody. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#groups = groups;
  }

  heal(): void {
    this.#groups = [];
  }

  /** From now on nothing sent to these groups reaches another host, as behind a switch that has forgotten who joined. */
  eat(isEaten: (group: string) => boolean): void {
    this.#eaten = isEaten;
  }

  /** Carries a packet from a socket to all that it is for; the sending host hears its own multicast at once. */
  carry(sender: FakeSocket, bytes: Bytes, to: DatagramAddress | undefined): void {
    const { host, options } = sender;
    const from = { address: sender.address, port: options.port };
    const place = { host: host.name, interfaceName: options.interfaceName, family: options.family };
    this.captured.push({ ...place, atMs: this.#options.clock.monotonicMs(), from, to, bytes });
    const datagram: Datagram = { bytes: new Uint8Array(bytes), from, multicast: to === undefined };
    for (const other of this.#hosts.values()) {
      if (!this.#connects(host.name, other.name)) continue;
      if (other !== host && to === undefined && this.#eaten(options.group)) continue;
      for (const socket of other.sockets) {
        const isFor =
          to === undefined ? socket.options.group === options.group : socket.address === to.address;
        const port = to?.port ?? options.port;
        if (socket.segment !== sender.segment || !isFor || socket.options.port !== port) continue;
        this.#deliver(socket, datagram, other === host);
      }
    }
  }

  #deliver(socket: FakeSocket, datagram: Datagram, isLoopback: boolean): void {
    const { lossRate = 0, duplicateRate = 0 } = this.#options;
    if (!isLoopback && this.#entropy.chance(lossRate)) return;
    const copies = !isLoopback && this.#entropy.chance(duplicateRate) ? 2 : 1;
    const { least, most } = this.#options.delayMs ?? { least: 0, most: 0 };
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = isLoopback ? 0 : least + ((most - least) * this.#entropy.below(1000)) / 1000;
      this.#options.clock.after(delayMs, () => socket.hear(datagram));
    }
  }

  #connects(a: string, b: string): boolean {
    const groupOf = (name: string) => this.#groups.find((group) => group.includes(name));
    const [groupA, groupB] = [groupOf(a), groupOf(b)];
    return a === b || groupA === undefined || groupB === undefined || groupA === groupB;
  }
}

export interface FakeInterface extends NetworkInterface {
  /** The wire it is plugged into. */
  readonly segment: string;
}

/** An interface of the host with this number: `10.0.0.7/24` and `fe80::7/64` for 7. */
export function fakeInterface(name: string, number: number, segment = 'lan', subnet = 0): FakeInterface {
  return {
    name,
    segment,
    carrierChanges: 0,
    mac: `02:00:00:00:${subnet.toString(16).padStart(2, '0')}:${number.toString(16).padStart(2, '0')}`,
    addresses: [
      { family: 'ipv4', address: `10.0.${subnet}.${number}`, prefixLength: 24 },
      { family: 'ipv6', address: `fe80::${subnet.toString(16)}:${number.toString(16)}`, prefixLength: 64 },
    ],
  };
}

/** One host's view of a {@link FakeLan}. */
export class FakeMulticastNetwork implements MulticastNetwork {
  readonly name: string;
  readonly #lan: FakeLan;
  readonly sockets = new Set<FakeSocket>();
  readonly #listeners = new Set<() => void>();
  #interfaces: readonly FakeInterface[];

  constructor(name: string, lan: FakeLan, interfaces: readonly FakeInterface[]) {
    this.name = name;
    this.#lan = lan;
    this.#interfaces = interfaces;
  }

  interfaces(): readonly NetworkInterface[] {
    return this.#interfaces;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Plugs, unplugs and readdresses. Sockets on an interface or address that is gone hear and say nothing more. */
  connect(interfaces: readonly FakeInterface[]): void {
    this.#interfaces = interfaces;
    for (const socket of this.sockets) {
      const there = interfaces.find((one) => one.name === socket.options.interfaceName);
      if (!there?.addresses.some((one) => one.address === socket.address)) this.sockets.delete(socket);
    }
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  async open(options: MulticastOptions): Promise<MulticastSocket> {
    const one = this.#interfaces.find((candidate) => candidate.name === options.interfaceName);
    const address = one?.addresses.find((candidate) => candidate.family === options.family)?.address;
    if (one === undefined || address === undefined) {
      const code: MulticastErrorCode = 'MULTICAST_UNAVAILABLE';
      throw new AetherError(code, `no ${options.family} on ${options.interfaceName}`);
    }
    const socket = new FakeSocket(this, this.#lan, options, address, one.segment);
    this.sockets.add(socket);
    return socket;
  }
}

class FakeSocket implements MulticastSocket {
  readonly host: FakeMulticastNetwork;
  readonly options: MulticastOptions;
  readonly address: string;
  readonly segment: string;
  readonly #lan: FakeLan;
  readonly #listeners: ((message: Datagram) => void)[] = [];

  constructor(
    host: FakeMulticastNetwork,
    lan: FakeLan,
    options: MulticastOptions,
    address: string,
    segment: string,
  ) {
    this.host = host;
    this.#lan = lan;
    this.options = options;
    this.address = address;
    this.segment = segment;
  }

  onMessage(listener: (message: Datagram) => void): void {
    this.#listeners.push(listener);
  }

  send(bytes: Bytes, to?: DatagramAddress): void {
    if (this.host.sockets.has(this)) this.#lan.carry(this, bytes, to);
  }

  hear(message: Datagram): void {
    if (!this.host.sockets.has(this)) return;
    for (const listener of this.#listeners) listener(message);
  }

  async close(): Promise<void> {
    this.host.sockets.delete(this);
  }
}
