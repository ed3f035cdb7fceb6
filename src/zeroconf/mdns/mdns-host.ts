import type { Bytes } from '../../base/bytes.ts';
import { mdnsPacketBytesMax, mdnsSentPacketsMax } from '../../base/discovery-limits.ts';
import { AetherError, describeError } from '../../base/errors.ts';
import { addressBytes, samePrefix } from '../../base/ip-address.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type {
  Datagram,
  InterfaceAddress,
  MulticastNetwork,
  MulticastSocket,
  NetworkInterface,
} from '../../ports/datagram.ts';
import { type Entropy, uniform } from '../../ports/entropy.ts';
import { decodeWanted } from '../dns/decoder.ts';
import { encodeLegacyReply, encodePackets } from '../dns/encoder.ts';
import type { Message, MessageHead } from '../dns/message.ts';
import { mdnsPort } from './records.ts';
import type { SendAction } from './responder.ts';

const groups = { ipv4: '224.0.0.251', ipv6: 'ff02::fb' } as const;
/** An address may exist before it can be used (duplicate address detection takes a second or two). */
const retryIntervalMs = 500;
const ownCopyWithinMs = 5000;

export interface MdnsPorts {
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** One interface and address family that multicast DNS is spoken on. */
export interface Link {
  readonly key: string;
  readonly interfaceName: string;
  readonly family: 'ipv4' | 'ipv6';
  /** Those of the interface, of both families. */
  readonly addresses: readonly InterfaceAddress[];
}

/** What happens on links, for the machine of each. After every call the host asks anew when `tick` is due. */
export interface LinkHandler {
  opened(link: Link, now: number): void;
  addressesChanged(link: Link, now: number): void;
  closed(link: Link): void;
  /** Whether a message that begins like this can matter; if not, the rest of it is not looked at. */
  wants(link: Link, head: MessageHead): boolean;
  received(link: Link, message: Message, datagram: Datagram, now: number): void;
  tick(link: Link, now: number): void;
  dueMs(link: Link): number | undefined;
}

interface OpenLink extends Link {
  readonly carrierChanges: number;
  addresses: readonly InterfaceAddress[];
  socket: MulticastSocket;
  timer: Timer | undefined;
  /** When the timer runs out. */
  dueMs: number | undefined;
}

/** Counts since the start. */
export interface RefusedPackets {
  readonly malformed: number;
  readonly offLink: number;
}

interface SentPacket {
  readonly atMs: number;
  readonly heardOn: Set<string>;
}

/**
 * Sockets and timers of multicast DNS: one socket on every interface and family there is, opened and closed as
 * interfaces come, go and change. Own packets that come back are recognised by their content and dropped.
 */
export class MdnsHost {
  readonly #handler: LinkHandler;
  readonly #ports: MdnsPorts;
  readonly #links = new Map<string, OpenLink>();
  readonly #sent = new Map<string, SentPacket>();
  readonly #failed = new Set<string>();
  readonly #refused = { malformed: 0, offLink: 0 };
  #ownAddresses: ReadonlySet<string> = new Set();
  #following: Promise<void> = Promise.resolve();
  /** Waits for its turn to follow, and will see what has changed since. */
  #isToFollow = false;
  #retry: Timer | undefined;
  #unsubscribe: () => void = () => {};
  #closed = false;

  constructor(handler: LinkHandler, ports: MdnsPorts) {
    this.#handler = handler;
    this.#ports = { ...ports, log: ports.log.part('mdns') };
  }

  /** Resolves when the interfaces that are there now have been opened; those to come are waited for. */
  start(): Promise<void> {
    this.#unsubscribe = this.#ports.network.onChange(() => void this.#look());
    return this.#look();
  }

  links(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** Packets that were not looked into: no DNS at all, or sent to us alone from another network (RFC 6762 §11). */
  refused(): RefusedPackets {
    return { ...this.#refused };
  }

  /** A number from [0, 1). */
  draw(): number {
    return uniform(this.#ports.entropy);
  }

  /** Runs `action` for each open link, as for an event that comes from above. */
  forEachLink(action: (link: Link, now: number) => void): void {
    for (const link of this.#links.values()) this.#run(link, (now) => action(link, now));
  }

  /** Sends on `link`, when it is open. */
  send(link: Link, action: SendAction): void {
    const open = this.#links.get(link.key);
    if (open === undefined) return;
    for (const packet of packetsOf(action)) {
      this.#remember(packet);
      open.socket.send(packet, action.to);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#retry?.cancel();
    await this.#following;
    await Promise.all([...this.#links.values()].map((link) => this.#close(link)));
  }

  /** Follows the interfaces, after whatever is being followed now; again soon where a link could not be opened. */
  #look(): Promise<void> {
    if (this.#isToFollow || this.#closed) return this.#following;
    this.#isToFollow = true;
    this.#following = this.#following.then(async () => {
      this.#isToFollow = false;
      await this.#follow();
      this.#retry?.cancel();
      if (this.#failed.size > 0 && !this.#closed)
        this.#retry = this.#ports.clock.after(retryIntervalMs, () => void this.#look());
    });
    return this.#following;
  }

  /** Brings the open links in line with the interfaces there are. */
  async #follow(): Promise<void> {
    const interfaces = this.#ports.network.interfaces();
    this.#ownAddresses = new Set(interfaces.flatMap((one) => one.addresses.map((item) => item.address)));
    const wanted = new Map(
      interfaces.flatMap((one) => familiesOf(one).map((family) => [keyOf(one, family), { one, family }])),
    );
    for (const link of [...this.#links.values()]) {
      // A cable that was out for a moment may lead elsewhere now: everything is done again (RFC 6762 §8).
      const isSame = wanted.get(link.key)?.one.carrierChanges === link.carrierChanges;
      if (!isSame) await this.#close(link);
    }
    for (const key of this.#failed) if (!wanted.has(key)) this.#failed.delete(key);
    for (const [key, { one, family }] of wanted) {
      if (this.#closed) return;
      const link = this.#links.get(key);
      if (link === undefined) await this.#open(key, one, family);
      else if (!sameAddresses(link.addresses, one.addresses)) await this.#readdress(link, one);
    }
  }

  async #open(key: string, one: NetworkInterface, family: 'ipv4' | 'ipv6'): Promise<void> {
    const socket = await this.#openSocket(key, one.name, family);
    if (socket === undefined) return;
    const link: OpenLink = {
      key,
      interfaceName: one.name,
      family,
      addresses: one.addresses,
      carrierChanges: one.carrierChanges,
      socket,
      timer: undefined,
      dueMs: undefined,
    };
    this.#links.set(key, link);
    socket.onMessage((datagram) => this.#receive(link, socket, datagram));
    this.#ports.log.debug('link opened', { link: key });
    this.#run(link, (now) => this.#handler.opened(link, now));
  }

  /** The socket is bound to an address that may be gone, so it is opened anew; the names stay ours. */
  async #readdress(link: OpenLink, one: NetworkInterface): Promise<void> {
    if (!sameAddresses(ofFamily(link.addresses, link.family), ofFamily(one.addresses, link.family))) {
      const socket = await this.#openSocket(link.key, link.interfaceName, link.family);
      if (socket === undefined) return this.#close(link);
      await link.socket.close();
      link.socket = socket;
      socket.onMessage((datagram) => this.#receive(link, socket, datagram));
    }
    link.addresses = one.addresses;
    this.#ports.log.debug('addresses changed', { link: link.key });
    this.#run(link, (now) => this.#handler.addressesChanged(link, now));
  }

  async #openSocket(
    key: string,
    interfaceName: string,
    family: 'ipv4' | 'ipv6',
  ): Promise<MulticastSocket | undefined> {
    try {
      const socket = await this.#ports.network.open({
        interfaceName,
        family,
        group: groups[family],
        port: mdnsPort,
      });
      this.#failed.delete(key);
      return socket;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      if (!this.#failed.has(key))
        this.#ports.log.debug('link not usable', { link: key, error: describeError(error) });
      this.#failed.add(key);
      return undefined;
    }
  }

  async #close(link: OpenLink): Promise<void> {
    link.timer?.cancel();
    this.#links.delete(link.key);
    this.#handler.closed(link);
    await link.socket.close();
  }

  #receive(link: OpenLink, socket: MulticastSocket, datagram: Datagram): void {
    if (link.socket !== socket || this.#links.get(link.key) !== link) return;
    if (!isOnLink(link, datagram)) {
      this.#refused.offLink++;
      return;
    }
    if (this.#isOwnCopy(link, datagram)) return;
    let message: Message | undefined;
    try {
      message = decodeWanted(datagram.bytes, (head) => this.#handler.wants(link, head));
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      this.#refused.malformed++;
      this.#ports.log.debug('packet refused', { link: link.key, error: describeError(error) });
      return;
    }
    if (message === undefined) return;
    const wanted = message;
    this.#run(link, (now) => this.#handler.received(link, wanted, datagram, now));
  }

  /** Calls the handler, then sets the link's timer for when the handler wants to be called next. */
  #run(link: OpenLink, call: (now: number) => void): void {
    call(this.#ports.clock.monotonicMs());
    const dueMs = this.#links.get(link.key) === link ? this.#handler.dueMs(link) : undefined;
    if (dueMs === link.dueMs) return;
    link.timer?.cancel();
    link.timer = undefined;
    link.dueMs = dueMs;
    if (dueMs === undefined) return;
    const delayMs = Math.max(0, dueMs - this.#ports.clock.monotonicMs());
    link.timer = this.#ports.clock.after(delayMs, () => {
      link.dueMs = undefined;
      this.#run(link, (now) => this.#handler.tick(link, now));
    });
  }

  #remember(packet: Bytes): void {
    const key = contentKey(packet);
    this.#sent.delete(key);
    this.#sent.set(key, { atMs: this.#ports.clock.monotonicMs(), heardOn: new Set() });
    const oldest = this.#sent.keys().next();
    if (this.#sent.size > mdnsSentPacketsMax && !oldest.done) this.#sent.delete(oldest.value);
  }

  /**
   * Whether this host sent just that, on whichever of its links. Another program here may speak multicast DNS from
   * the same address and port, so the content decides, and one packet has one copy on each link.
   */
  #isOwnCopy(link: Link, { bytes, from }: Datagram): boolean {
    const sent = this.#ownAddresses.has(from.address) ? this.#sent.get(contentKey(bytes)) : undefined;
    if (sent === undefined || sent.heardOn.has(link.key)) return false;
    if (this.#ports.clock.monotonicMs() - sent.atMs > ownCopyWithinMs) return false;
    sent.heardOn.add(link.key);
    return true;
  }
}

function packetsOf({ message, legacy }: SendAction): readonly Bytes[] {
  if (legacy === true) return [encodeLegacyReply(message, mdnsPacketBytesMax)];
  return encodePackets(message, mdnsPacketBytesMax);
}

/** RFC 6762 §11: what was sent to the group comes from this link; else the source address must belong to it. */
function isOnLink(link: Link, { from, multicast }: Datagram): boolean {
  const source = addressBytes(from.address);
  if (multicast || source === undefined) return multicast;
  return link.addresses.some(({ address, prefixLength }) =>
    samePrefix(addressBytes(address)!, source, prefixLength),
  );
}

function familiesOf(one: NetworkInterface): readonly ('ipv4' | 'ipv6')[] {
  return (['ipv4', 'ipv6'] as const).filter((family) => ofFamily(one.addresses, family).length > 0);
}

function ofFamily(
  addresses: readonly InterfaceAddress[],
  family: 'ipv4' | 'ipv6',
): readonly InterfaceAddress[] {
  return addresses.filter((item) => item.family === family);
}

function sameAddresses(a: readonly InterfaceAddress[], b: readonly InterfaceAddress[]): boolean {
  const text = (list: readonly InterfaceAddress[]) =>
    JSON.stringify(list.map((item) => [item.address, item.prefixLength]));
  return text(a) === text(b);
}

function keyOf(one: NetworkInterface, family: 'ipv4' | 'ipv6'): string {
  return `${one.name}/${family}`;
}

function contentKey(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
