import type { Bytes } from '../../base/bytes.ts';
import { AetherError, describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Datagram, MulticastNetwork, MulticastSocket } from '../../ports/datagram.ts';
import { type GroupAddresses, groupPort } from './group-address.ts';

type Family = keyof GroupAddresses;

const families: readonly Family[] = ['ipv4', 'ipv6'];
const pollIntervalMs = 5000;
/** An address may exist before it can be used (duplicate address detection takes a second or two). */
const retryIntervalMs = 500;

/**
 * Of the two groups IPv4's Local Scope and IPv6's site-local scope end at the site's border by its routers' own
 * configuration (RFC 2365 §6.1, RFC 4291 §2.7). Inside, a packet may go as many routers far as a site has between
 * two boxes, and not wander where routers are set up badly.
 */
const hopLimit = 8;

/** What happens on the links. */
export interface GroupLinkHandler {
  opened(): void;
  received(interfaceName: string, datagram: Datagram): void;
}

export interface GroupLinksPorts {
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly log: Log;
}

interface WantedLink {
  readonly interfaceName: string;
  readonly family: Family;
  /** The interface's addresses of the family, as text. */
  readonly addresses: string;
}

interface OpenLink extends WantedLink {
  readonly socket: MulticastSocket;
}

/** The sockets of the group channel: one on every interface and family there is, opened anew when addresses change. */
export class GroupLinks {
  readonly #groups: GroupAddresses;
  readonly #handler: GroupLinkHandler;
  readonly #ports: GroupLinksPorts;
  readonly #links = new Map<string, OpenLink>();
  readonly #failed = new Set<string>();
  #following: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #closed = false;

  constructor(groups: GroupAddresses, handler: GroupLinkHandler, ports: GroupLinksPorts) {
    this.#groups = groups;
    this.#handler = handler;
    this.#ports = ports;
  }

  /** Resolves when the interfaces that are there now have been joined; those to come are waited for. */
  start(): Promise<void> {
    return this.interfacesChanged();
  }

  /** Brings the open sockets in line with the interfaces there are; also called by itself every few seconds. */
  interfacesChanged(): Promise<void> {
    this.#following = this.#following.then(() => this.#follow());
    return this.#following;
  }

  /** Leaves the groups on every link and joins them again, which tells switches and routers of us. */
  rejoin(): Promise<void> {
    this.#following = this.#following.then(async () => {
      await this.#closeAll();
      await this.#follow();
    });
    return this.#following;
  }

  /** On every link. */
  send(bytes: Bytes): void {
    for (const { socket } of this.#links.values()) socket.send(bytes);
  }

  /** Interfaces on which a family's group is joined. */
  joined(family: Family): readonly string[] {
    return [...this.#links.values()].flatMap((link) => (link.family === family ? [link.interfaceName] : []));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#following;
    await this.#closeAll();
  }

  async #follow(): Promise<void> {
    this.#timer?.cancel();
    if (this.#closed) return;
    const wanted = this.#wanted();
    for (const [key, link] of this.#links) {
      if (wanted.get(key)?.addresses === link.addresses) continue;
      this.#links.delete(key);
      await link.socket.close();
    }
    for (const key of this.#failed) if (!wanted.has(key)) this.#failed.delete(key);
    let opened = false;
    for (const [key, want] of wanted) {
      if (this.#closed) return;
      if (this.#links.has(key)) continue;
      const socket = await this.#open(key, want);
      if (socket === undefined) continue;
      const link = { ...want, socket };
      this.#links.set(key, link);
      socket.onMessage((datagram) => {
        if (this.#links.get(key) === link) this.#handler.received(link.interfaceName, datagram);
      });
      opened = true;
    }
    if (this.#closed) return;
    const delayMs = this.#failed.size > 0 ? retryIntervalMs : pollIntervalMs;
    this.#timer = this.#ports.clock.after(delayMs, () => void this.interfacesChanged());
    if (opened) this.#handler.opened();
  }

  #wanted(): ReadonlyMap<string, WantedLink> {
    const wanted = new Map<string, WantedLink>();
    for (const { name, addresses } of this.#ports.network.interfaces()) {
      for (const family of families) {
        const own = addresses.filter((one) => one.family === family);
        if (own.length === 0) continue;
        const text = own.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(' ');
        wanted.set(`${name}/${family}`, { interfaceName: name, family, addresses: text });
      }
    }
    return wanted;
  }

  async #open(key: string, { interfaceName, family }: WantedLink): Promise<MulticastSocket | undefined> {
    const group = this.#groups[family];
    try {
      const socket = await this.#ports.network.open({
        interfaceName,
        family,
        group,
        port: groupPort,
        hopLimit,
      });
      this.#failed.delete(key);
      this.#ports.log.debug('group joined', { link: key, group });
      return socket;
    } catch (error) {
      if (!(error instanceof AetherError)) throw error;
      if (!this.#failed.has(key))
        this.#ports.log.debug('group not joined', { link: key, error: describeError(error) });
      this.#failed.add(key);
      return undefined;
    }
  }

  async #closeAll(): Promise<void> {
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map(({ socket }) => socket.close()));
  }
}
