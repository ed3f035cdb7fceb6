import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type {
  Datagram,
  DatagramAddress,
  InterfaceAddress,
  MulticastErrorCode,
  MulticastNetwork,
  MulticastOptions,
  MulticastSocket,
  NetworkInterface,
} from '../ports/datagram.ts';
import type { LinkState, LinkTable } from '../ports/link-table.ts';

/** RFC 6762 §11. */
const mdnsHopLimit = 255;
/** On Windows a socket cannot be bound to a group, so there one socket hears both, and cannot tell. */
const canBindToGroup = process.platform !== 'win32';

/** How often interfaces are looked at where the kernel does not tell of changes. */
const lookIntervalMs = 5000;

/**
 * Multicast on this computer's interfaces. Given the kernel's table of links it follows their changes at once;
 * without one it looks at them every five seconds while somebody listens.
 */
export class NodeMulticastNetwork implements MulticastNetwork {
  readonly #links: LinkTable | undefined;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #listeners = new Set<() => void>();
  #looking: NodeJS.Timeout | undefined;
  /** As they were when last asked for: asking takes too long to do it for every packet. */
  #known: readonly NetworkInterface[] = [];
  #lastOpen: Promise<unknown> = Promise.resolve();

  constructor({ links }: { readonly links?: LinkTable } = {}) {
    this.#links = links;
  }

  interfaces(): readonly NetworkInterface[] {
    const fromKernel = this.#links?.links().filter(({ isUp }) => isUp) ?? [];
    this.#known = fromKernel.length > 0 ? fromKernel.map(interfaceOf) : systemInterfaces();
    return this.#known;
  }

  onChange(listener: () => void): () => void {
    if (this.#links !== undefined) return this.#links.onChange(listener);
    this.#listeners.add(listener);
    this.#looking ??= setInterval(() => this.#look(), lookIntervalMs).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    };
  }

  #look(): void {
    const before = JSON.stringify(this.#known);
    if (JSON.stringify(this.interfaces()) === before) return;
    for (const listener of this.#listeners) listener();
  }

  /**
   * Sockets of one interface, family, group and port share what is bound below them: the system hands a unicast
   * packet to one socket only, and here every listener hears it.
   */
  open(options: MulticastOptions): Promise<MulticastSocket> {
    const opened = this.#lastOpen.then(() => this.#openNext(options));
    this.#lastOpen = opened.catch(() => {});
    return opened;
  }

  async #openNext(options: MulticastOptions): Promise<MulticastSocket> {
    const key = JSON.stringify([options.interfaceName, options.family, options.group, options.port]);
    const own = this.#ownAddress(options);
    const shared = this.#endpoints.get(key);
    if (shared !== undefined && shared.own === own && !shared.isClosed) return shared.attach();
    try {
      const isOurs = (source: string) => this.#isFrom(options, source);
      const endpoint = await Endpoint.bind(options, own, isOurs);
      this.#endpoints.set(key, endpoint);
      return endpoint.attach();
    } catch (cause) {
      throw unavailable(options, cause);
    }
  }

  /** The address to send from: a link-local one for IPv6 where there is one, as RFC 6762 §11 lets all hear it. */
  #ownAddress({ interfaceName, family }: MulticastOptions): string {
    const addresses = this.interfaces()
      .find((one) => one.name === interfaceName)
      ?.addresses.filter((one) => one.family === family);
    const chosen = addresses?.find((one) => /^fe80:/i.test(one.address)) ?? addresses?.[0];
    if (chosen === undefined) throw unavailable({ interfaceName, family });
    return chosen.address;
  }

  /**
   * Linux gives a multicast packet to every socket of the host that is bound to the group, whichever interface it
   * came by, and Node cannot ask which; the source address tells. A source that fits no interface counts for all. With
   * IPv6 a socket is bound to its interface by the zone of a group of link-local scope; with a wider one the zone of a
   * link-local source tells, where it is a name (on Windows it is a number).
   */
  #isFrom({ interfaceName, family }: MulticastOptions, source: string): boolean {
    const [address = '', zone] = source.split('%');
    if (family === 'ipv6') return zone === undefined || /^\d+$/.test(zone) || zone === interfaceName;
    const fitting = this.#known.filter((one) => one.addresses.some((item) => contains(item, address)));
    return fitting.length === 0 || fitting.some((one) => one.name === interfaceName);
  }
}

/** An interface as the kernel's table has it; what cannot be sent from is left out. */
function interfaceOf({ name, mac, carrierChanges, addresses }: LinkState): NetworkInterface {
  return {
    name,
    mac: [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    carrierChanges,
    addresses: addresses
      .filter(({ isTentative }) => !isTentative)
      .map(({ family, address, prefixLength }) => ({ family, address, prefixLength })),
  };
}

/** Interfaces as Node tells them: those that are up, with their addresses; loopback when there is no other. */
function systemInterfaces(): readonly NetworkInterface[] {
  const all = Object.entries(networkInterfaces()).map(([name, entries = []]) => ({
    name,
    mac: entries[0]?.mac ?? '',
    isLoopback: entries.some((entry) => entry.internal),
    addresses: entries.map(
      (entry): InterfaceAddress => ({
        family: entry.family === 'IPv4' ? 'ipv4' : 'ipv6',
        address: entry.address,
        prefixLength: Number(entry.cidr?.split('/')[1] ?? (entry.family === 'IPv4' ? 32 : 128)),
      }),
    ),
  }));
  const real = all.filter((one) => !one.isLoopback);
  // Linux has no route for IPv6 multicast on loopback.
  const usable = ({ addresses, isLoopback }: (typeof all)[number]) =>
    isLoopback ? addresses.filter((one) => one.family === 'ipv4') : addresses;
  return (real.length > 0 ? real : all).map((one) => ({
    name: one.name,
    mac: one.mac,
    carrierChanges: 0,
    addresses: usable(one),
  }));
}

/** The bound sockets of one interface and family, and those who share them. */
class Endpoint {
  readonly own: string;
  readonly #options: MulticastOptions;
  readonly #sockets: readonly Socket[];
  readonly #attached = new Set<AttachedSocket>();
  #sending = 0;
  #whenSent: (() => void) | undefined;
  #sendFailures = 0;
  isClosed = false;

  private constructor(own: string, options: MulticastOptions, sockets: readonly Socket[]) {
    this.own = own;
    this.#options = options;
    this.#sockets = sockets;
  }

  static async bind(
    options: MulticastOptions,
    own: string,
    isOurs: (source: string) => boolean,
  ): Promise<Endpoint> {
    const { family, group, interfaceName, port, hopLimit = mdnsHopLimit } = options;
    const local = family === 'ipv4' ? own : `${own}${/^fe80:/i.test(own) ? `%${interfaceName}` : ''}`;
    const groupAddress = family === 'ipv4' ? group : `${group}%${interfaceName}`;
    const any = family === 'ipv4' ? '0.0.0.0' : '::';
    const member = family === 'ipv4' ? own : `::%${interfaceName}`;
    const sockets: Socket[] = [];
    try {
      // The first one sends: from the interface's own address and the group's port.
      const sender = await bound(family, canBindToGroup ? local : any, port);
      sockets.push(sender);
      sender.setMulticastInterface(member);
      sender.setMulticastTTL(hopLimit);
      sender.setTTL(hopLimit);
      sender.setMulticastLoopback(true);
      const receiver = canBindToGroup ? await bound(family, groupAddress, port) : sender;
      if (receiver !== sender) sockets.push(receiver);
      receiver.addMembership(group, member);
      const endpoint = new Endpoint(own, options, sockets);
      for (const socket of sockets) endpoint.#listen(socket, socket === receiver, isOurs);
      return endpoint;
    } catch (error) {
      await Promise.all(sockets.map(closed));
      throw error;
    }
  }

  attach(): MulticastSocket {
    const socket = new AttachedSocket(this);
    this.#attached.add(socket);
    return socket;
  }

  send(bytes: Bytes, to?: DatagramAddress): void {
    const { family, group, interfaceName, port } = this.#options;
    const needsZone = family === 'ipv6' && to !== undefined && /^fe80:/i.test(to.address);
    const address = to === undefined ? group : needsZone ? `${to.address}%${interfaceName}` : to.address;
    this.#sending++;
    const done = (error: Error | null) => {
      if (error) this.#sendFailures++;
      this.#sending--;
      if (this.#sending === 0) this.#whenSent?.();
    };
    try {
      this.#sockets[0]!.send(bytes, to?.port ?? port, address, done);
    } catch (error) {
      done(error as Error);
    }
  }

  get sendFailures(): number {
    return this.#sendFailures;
  }

  /** Waits for what is being sent, and closes the sockets with the last who shared them. */
  async detach(socket: AttachedSocket): Promise<void> {
    if (!this.#attached.delete(socket)) return;
    if (this.#attached.size > 0) return;
    this.isClosed = true;
    if (this.#sending > 0) {
      await new Promise<void>((resolve) => {
        this.#whenSent = resolve;
      });
    }
    await Promise.all(this.#sockets.map(closed));
  }

  #listen(socket: Socket, hearsGroup: boolean, isOurs: (source: string) => boolean): void {
    // Later errors come of packets of ours that could not be delivered; the next poll sees an interface that is gone.
    socket.on('error', () => this.#sendFailures++);
    socket.on('message', (bytes, remote) => {
      const [address = ''] = remote.address.split('%');
      const datagram = {
        bytes: new Uint8Array(bytes),
        from: { address, port: remote.port },
        multicast: hearsGroup,
      };
      if (hearsGroup && !isOurs(remote.address)) return;
      for (const attached of this.#attached) attached.hear(datagram);
    });
  }
}

class AttachedSocket implements MulticastSocket {
  readonly #endpoint: Endpoint;
  readonly #listeners: ((message: Datagram) => void)[] = [];
  #isClosed = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  onMessage(listener: (message: Datagram) => void): void {
    this.#listeners.push(listener);
  }

  send(bytes: Bytes, to?: DatagramAddress): void {
    if (!this.#isClosed) this.#endpoint.send(bytes, to);
  }

  /** How many packets of everybody who shares this socket's address could not be sent. */
  get sendFailures(): number {
    return this.#endpoint.sendFailures;
  }

  hear(message: Datagram): void {
    for (const listener of this.#listeners) listener(message);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.length = 0;
    await this.#endpoint.detach(this);
  }
}

/** `reuseAddr` lets another responder on this computer (avahi) have the same port. */
function bound(family: 'ipv4' | 'ipv6', address: string, port: number): Promise<Socket> {
  const socket = createSocket({
    type: family === 'ipv4' ? 'udp4' : 'udp6',
    reuseAddr: true,
    ipv6Only: family === 'ipv6',
  });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function contains({ family, address, prefixLength }: InterfaceAddress, source: string): boolean {
  if (family !== 'ipv4') return false;
  const mask = prefixLength === 0 ? 0 : -1 << (32 - prefixLength);
  return ((ipv4Number(address) ^ ipv4Number(source)) & mask) === 0;
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((number, part) => (number << 8) | Number(part), 0);
}

function unavailable(
  { interfaceName, family }: Pick<MulticastOptions, 'interfaceName' | 'family'>,
  cause?: unknown,
): AetherError<MulticastErrorCode> {
  return new AetherError(
    'MULTICAST_UNAVAILABLE',
    `multicast over ${family} is not possible on ${interfaceName}`,
    {
      cause,
      fields: { interfaceName, family },
      help: 'Check that the interface is up and has an address.',
    },
  );
}
