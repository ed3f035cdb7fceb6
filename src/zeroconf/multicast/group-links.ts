import type { Bytes } from '../../base/bytes.ts';
import { AetherError, describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Datagram, MulticastNetwork, MulticastSocket } from '../../ports/datagram.ts';
import { type GroupAddresses, groupPort } from './group-address.ts';

type Family = keyof GroupAddresses;

const families: readonly Family[] = ['ipv4', 'ipv6'];
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
  /** As text: its addresses of the family, and how often its cable was out. When one changes, it is joined anew. */
  readonly place: string;
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
  /** Waits for its turn to follow, and will see what has changed since. */
  #isToFollow = false;
  #retry: Timer | undefined;
  #unsubscribe: () => void = () => {};
  #closed = false;

  constructor(groups: GroupAddresses, handler: GroupLinkHandler, ports: GroupLinksPorts) {
    this.#groups = groups;
    this.#handler = handler;
    this.#ports = ports;
  }

  /** Resolves when the interfaces that are there now have been joined; those to come are waited for. */
  start(): Promise<void> {
    this.#unsubscribe = this.#ports.network.onChange(() => void this.#look());
    return this.#look();
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
    this.#unsubscribe();
    this.#retry?.cancel();
    await this.#following;
    await this.#closeAll();
  }

  #look(): Promise<void> {
    if (this.#isToFollow || this.#closed) return this.#following;
    this.#isToFollow = true;
    this.#following = this.#following.then(() => {
      this.#isToFollow = false;
      return this.#follow();
    });
    return this.#following;
  }

  /** Brings the open sockets in line with the interfaces there are. */
  async #follow(): Promise<void> {
    this.#retry?.cancel();
    if (this.#closed) return;
    const wanted = this.#wanted();
    for (const [key, link] of this.#links) {
      if (wanted.get(key)?.place === link.place) continue;
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
    if (this.#failed.size > 0)
      this.#retry = this.#ports.clock.after(retryIntervalMs, () => void this.#look());
    if (opened) this.#handler.opened();
  }

  #wanted(): ReadonlyMap<string, WantedLink> {
    const wanted = new Map<string, WantedLink>();
    for (const { name, addresses, carrierChanges } of this.#ports.network.interfaces()) {
      for (const family of families) {
        const own = addresses.filter((one) => one.family === family);
        if (own.length === 0) continue;
        const texts = own.map(({ address, prefixLength }) => `${address}/${prefixLength}`);
        const place = [carrierChanges, ...texts].join(' ');
        wanted.set(`${name}/${family}`, { interfaceName: name, family, place });
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
