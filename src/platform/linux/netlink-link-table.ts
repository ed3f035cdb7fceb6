import type { Bytes } from '../../base/bytes.ts';
import { linkAnswerMsMax } from '../../base/discovery-limits.ts';
import { AetherError } from '../../base/errors.ts';
import { isLinkLocalIpv4 } from '../../base/ip-address.ts';
import type {
  AddressChange,
  AddressOrigin,
  LinkAddress,
  LinkErrorCode,
  LinkState,
  LinkTable,
} from '../../ports/link-table.ts';
import type { DescriptorEvents } from './descriptor-events.ts';
import { errorName, isError } from './libc.ts';
import {
  type AddressRequest,
  addressAddition,
  addressDump,
  addressRemoval,
  linkDump,
  type NetlinkMessage,
  type RawAddress,
  type RawLink,
} from './netlink-message.ts';
import { NetlinkSocket } from './netlink-socket.ts';

/** IFF_…: switched on; loopback; no ARP; ready to carry (RUNNING); a carrier is there (LOWER_UP). */
const linkFlag = { up: 0x1, loopback: 0x8, running: 0x40, noArp: 0x80, lowerUp: 0x10000 } as const;
const carrying = linkFlag.up | linkFlag.running | linkFlag.lowerUp;
const ethernet = 1;
/** IFA_F_…. */
const addressFlag = { duplicate: 0x08, tentative: 0x40, permanent: 0x80 } as const;

type RequestSocket = Pick<NetlinkSocket, 'send' | 'close'>;

interface Request {
  readonly resolve: (error: number) => void;
  /** Its dump met a change midway. */
  interrupted: boolean;
}

/** What a dump that was interrupted is answered with: no number of an error. */
const askAgain = -1;
/** Changes that keep coming cannot keep us asking: what a dump missed, notices tell. */
const dumpTriesMax = 10;
const timedOut = 110;
const reloadDelayMs = 1000;

/** {@link LinkTable} over rtnetlink: what the kernel told at the start, kept up to date by its notices. */
export class NetlinkLinkTable implements LinkTable {
  readonly #listeners = new Set<() => void>();
  readonly #links = new Map<number, RawLink>();
  /** By interface and address. */
  readonly #addresses = new Map<string, RawAddress>();
  readonly #requests = new Map<number, Request>();
  #socket: RequestSocket | undefined;
  #sequence = 0;
  #known: readonly LinkState[] = [];
  /** The table is being read anew, or is to be: what it lacks until then is not told. */
  #loading: Promise<void> | undefined;
  #isStale = false;

  /** Resolves when the table is filled. Errors: `LINK_UNSUPPORTED`. */
  static async open(
    events: DescriptorEvents,
    openSocket: (...of: Parameters<typeof NetlinkSocket.open>) => RequestSocket = NetlinkSocket.open,
  ): Promise<NetlinkLinkTable> {
    const table = new NetlinkLinkTable();
    table.#socket = openSocket(
      events,
      (messages) => table.#receive(messages),
      () => table.#reload(),
    );
    await table.#load();
    return table;
  }

  links(): readonly LinkState[] {
    return this.#known;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async addAddress(change: AddressChange): Promise<void> {
    const error = await this.#request((sequence) => addressAddition(sequence, this.#requestOf(change)));
    if (error !== 0 && !isError(error, 'EEXIST')) throw linkError(change, error);
  }

  async removeAddress(change: AddressChange): Promise<void> {
    const error = await this.#request((sequence) => addressRemoval(sequence, this.#requestOf(change)));
    if (error !== 0 && !isError(error, 'EADDRNOTAVAIL')) throw linkError(change, error);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    const socket = this.#socket;
    this.#socket = undefined;
    await socket?.close();
    for (const { resolve } of this.#requests.values()) resolve(0);
    this.#requests.clear();
  }

  /** Reads the whole table; once more when notices were dropped meanwhile. */
  #load(): Promise<void> {
    this.#isStale = true;
    this.#loading ??= this.#loadWhileStale().finally(() => {
      this.#loading = undefined;
      this.#tell();
    });
    return this.#loading;
  }

  /** Reads it again after notices were dropped; when the kernel does not answer, again a little later. */
  #reload(): void {
    this.#load().catch(() => {
      if (this.#socket !== undefined) setTimeout(() => this.#reload(), reloadDelayMs).unref();
    });
  }

  async #loadWhileStale(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      try {
        this.#links.clear();
        await this.#dump(linkDump);
        this.#addresses.clear();
        await this.#dump(addressDump);
      } catch (error) {
        this.#isStale = true;
        throw error;
      }
    }
  }

  async #dump(make: (sequence: number) => Bytes): Promise<void> {
    for (let tries = 0; tries < dumpTriesMax; tries++) {
      const error = await this.#request(make);
      if (error === 0) return;
      if (error !== askAgain)
        throw new AetherError('LINK_UNSUPPORTED', `the kernel says ${errorName(error)}`);
    }
  }

  /** The number of the error the kernel answers with, 0 for none. */
  async #request(make: (sequence: number) => Bytes): Promise<number> {
    const sequence = ++this.#sequence;
    const request = make(sequence);
    const answered = new Promise<number>((resolve) => {
      this.#requests.set(sequence, { resolve, interrupted: false });
    });
    const timeout = setTimeout(() => this.#answer(sequence, timedOut), linkAnswerMsMax);
    try {
      this.#socket?.send(request);
    } catch (error) {
      this.#answer(sequence, -((error as NodeJS.ErrnoException).errno ?? -timedOut));
    }
    return answered.finally(() => clearTimeout(timeout));
  }

  #requestOf({ interfaceName, address, prefixLength }: AddressChange): AddressRequest {
    // Not of the table, which may be read anew at this moment.
    const link = this.#known.find(({ name }) => name === interfaceName);
    if (link === undefined) throw gone(interfaceName);
    return { index: link.index, address, prefixLength, isLinkScope: isLinkLocalIpv4(address) };
  }

  #receive(messages: readonly NetlinkMessage[]): void {
    let changed = false;
    for (const { body, sequence, interrupted } of messages) {
      const request = this.#requests.get(sequence);
      if (request !== undefined && interrupted) request.interrupted = true;
      if (body.kind === 'answer') this.#answer(sequence, body.error);
      else if (body.kind === 'done') this.#answer(sequence, request?.interrupted === true ? askAgain : 0);
      else if (body.kind !== 'other') {
        this.#take(body);
        changed = true;
      }
    }
    if (changed) this.#tell();
  }

  #take(body: Extract<NetlinkMessage['body'], { kind: 'link' | 'address' }>): void {
    if (body.kind === 'link') {
      const { link, gone: isGone } = body;
      if (!isGone) return void this.#links.set(link.index, link);
      this.#links.delete(link.index);
      for (const [key, { index }] of this.#addresses) if (index === link.index) this.#addresses.delete(key);
    } else {
      const { address, gone: isGone } = body;
      const key = `${address.index} ${address.address}/${address.prefixLength}`;
      if (isGone) this.#addresses.delete(key);
      else this.#addresses.set(key, address);
    }
  }

  #answer(sequence: number, error: number): void {
    const request = this.#requests.get(sequence);
    this.#requests.delete(sequence);
    request?.resolve(error);
  }

  /** Once for all that one read brought, and only when something is different. */
  #tell(): void {
    if (this.#loading !== undefined || this.#isStale) return;
    const links = [...this.#links.values()]
      .filter(({ flags }) => (flags & linkFlag.loopback) === 0)
      .map((link) => this.#stateOf(link));
    if (JSON.stringify(links) === JSON.stringify(this.#known)) return;
    this.#known = links;
    for (const listener of this.#listeners) listener();
  }

  #stateOf({ index, name, mac, type, flags, hasMaster, carrierChanges }: RawLink): LinkState {
    return {
      index,
      name,
      mac,
      isEthernet: type === ethernet && (flags & linkFlag.noArp) === 0 && !hasMaster,
      isUp: (flags & carrying) === carrying,
      carrierChanges,
      addresses: [...this.#addresses.values()].filter((one) => one.index === index).map(addressOf),
    };
  }
}

function addressOf({ family, address, prefixLength, flags }: RawAddress): LinkAddress {
  const isTentative = (flags & (addressFlag.tentative | addressFlag.duplicate)) !== 0;
  return { family, address, prefixLength, origin: originOf(family, address, flags), isTentative };
}

function originOf(family: 'ipv4' | 'ipv6', address: string, flags: number): AddressOrigin {
  if (family === 'ipv4' ? isLinkLocalIpv4(address) : /^fe[89ab]/.test(address)) return 'link-local';
  if ((flags & addressFlag.permanent) !== 0) return 'static';
  return family === 'ipv4' ? 'dhcp' : 'router';
}

function linkError({ interfaceName, address }: AddressChange, error: number): AetherError<LinkErrorCode> {
  if (isError(error, 'ENODEV', 'ENXIO')) return gone(interfaceName);
  const fields = { interfaceName, address, error: errorName(error) };
  if (isError(error, 'EPERM', 'EACCES')) {
    return new AetherError('LINK_NOT_PERMITTED', `addresses of ${interfaceName} may not be changed`, {
      fields,
      help: 'Give the box CAP_NET_ADMIN, or run it as root.',
    });
  }
  return new AetherError('LINK_REFUSED', `${interfaceName} does not take ${address}`, { fields });
}

function gone(interfaceName: string): AetherError<LinkErrorCode> {
  return new AetherError('LINK_GONE', `there is no interface ${interfaceName}`, {
    fields: { interfaceName },
  });
}
