import type { Bytes } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type { ArpErrorCode, ArpLink, ArpNetwork } from '../ports/arp-network.ts';
import type { Clock } from '../ports/clock.ts';
import type { LinkState } from '../ports/link-table.ts';
import { decodeArp } from '../zeroconf/ipv4ll/arp-packet.ts';
import type { FakeLinkTable } from './fake-link-table.ts';
import type { SeededEntropy } from './seeded-entropy.ts';

export interface FakeArpWireOptions {
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  /** Each copy takes up to that long. */
  readonly delayMsMax?: number;
}

export interface CapturedFrame {
  readonly atMs: number;
  readonly from: string;
  readonly frame: Bytes;
}

/** One Ethernet segment. Every host's kernel on it answers ARP requests for its addresses, as real ones do. */
export class FakeArpWire {
  readonly #options: FakeArpWireOptions;
  readonly #sockets = new Set<FakeArpLink>();
  readonly #hosts = new Map<string, FakeLinkTable>();
  readonly captured: CapturedFrame[] = [];

  constructor(options: FakeArpWireOptions) {
    this.#options = options;
  }

  /** ARP of a host whose interfaces `links` tells. All of them are on this wire. */
  network(host: string, links: FakeLinkTable): FakeArpNetwork {
    this.#hosts.set(host, links);
    return new FakeArpNetwork(host, links, this.#sockets, (from, frame) => this.#carry(from, frame));
  }

  /** Puts a frame on the wire as a host that is not simulated would. */
  inject(frame: Bytes): void {
    this.#carry({ host: 'injected', mac: frame.slice(6, 12) }, frame);
  }

  #carry(from: { readonly host: string; readonly mac: Bytes }, frame: Bytes): void {
    const { clock, entropy, lossRate = 0, duplicateRate = 0, delayMsMax = 0 } = this.#options;
    this.captured.push({ atMs: clock.monotonicMs(), from: from.host, frame });
    const deliver = (hear: () => void) => {
      if (entropy.chance(lossRate)) return;
      for (let copy = entropy.chance(duplicateRate) ? 2 : 1; copy > 0; copy--) {
        clock.after((delayMsMax * entropy.below(1000)) / 1000, hear);
      }
    };
    for (const socket of this.#sockets) {
      if (socket.host !== from.host) deliver(() => socket.hear(frame));
    }
    for (const [host, links] of this.#hosts) {
      if (host === from.host) continue;
      for (const link of links.links()) if (link.isUp) deliver(() => this.#answer(host, link, frame));
    }
  }

  /** What a kernel does: a reply to whoever asks for one of its addresses, a probe too. */
  #answer(host: string, asked: LinkState, frame: Bytes): void {
    const packet = decodeArp(frame);
    const link = this.#hosts
      .get(host)
      ?.links()
      .find(({ index }) => index === asked.index);
    if (packet?.operation !== 'request' || link?.isUp !== true) return;
    if (packet.senderAddress === packet.targetAddress) return;
    if (!link.addresses.some(({ address }) => address === packet.targetAddress)) return;
    this.#carry({ host, mac: link.mac }, arpReply(link.mac, packet.targetAddress, packet.senderMac));
  }
}

/** One host's view of a {@link FakeArpWire}. */
export class FakeArpNetwork implements ArpNetwork {
  readonly #host: string;
  readonly #links: FakeLinkTable;
  readonly #sockets: Set<FakeArpLink>;
  readonly #carry: (from: { readonly host: string; readonly mac: Bytes }, frame: Bytes) => void;
  refuses: ArpErrorCode | undefined;

  constructor(
    host: string,
    links: FakeLinkTable,
    sockets: Set<FakeArpLink>,
    carry: (from: { readonly host: string; readonly mac: Bytes }, frame: Bytes) => void,
  ) {
    this.#host = host;
    this.#links = links;
    this.#sockets = sockets;
    this.#carry = carry;
  }

  async open(interfaceName: string): Promise<ArpLink> {
    const find = () => this.#links.links().find(({ name }) => name === interfaceName);
    const mac = find()?.mac;
    const code = this.refuses ?? (mac === undefined ? 'ARP_LINK_GONE' : undefined);
    if (code !== undefined) throw new AetherError<ArpErrorCode>(code, `no ARP on ${interfaceName}`);
    const isUp = () => find()?.isUp === true;
    const socket = new FakeArpLink(this.#host, isUp, this.#sockets, (frame) =>
      this.#carry({ host: this.#host, mac: mac! }, frame),
    );
    this.#sockets.add(socket);
    return socket;
  }
}

class FakeArpLink implements ArpLink {
  readonly host: string;
  readonly #isUp: () => boolean;
  readonly #open: Set<FakeArpLink>;
  readonly #carry: (frame: Bytes) => void;
  readonly #listeners: ((frame: Bytes) => void)[] = [];

  constructor(host: string, isUp: () => boolean, open: Set<FakeArpLink>, carry: (frame: Bytes) => void) {
    this.host = host;
    this.#isUp = isUp;
    this.#open = open;
    this.#carry = carry;
  }

  onFrame(listener: (frame: Bytes) => void): void {
    this.#listeners.push(listener);
  }

  send(frame: Bytes): void {
    if (this.#isUp() && this.#open.has(this)) this.#carry(frame);
  }

  hear(frame: Bytes): void {
    if (!this.#isUp() || !this.#open.has(this)) return;
    for (const listener of this.#listeners) listener(new Uint8Array(frame));
  }

  async close(): Promise<void> {
    this.#open.delete(this);
  }
}

/** A reply, which no part of ours sends: kernels do. */
export function arpReply(mac: Bytes, address: string, to: Bytes): Bytes {
  const frame = new Uint8Array(60);
  frame.set(to, 0);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 2], 12);
  frame.set(mac, 22);
  frame.set(address.split('.').map(Number), 28);
  frame.set(to, 32);
  return frame;
}
