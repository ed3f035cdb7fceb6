import { hash } from 'node:crypto';
import { type Bytes, fromHex, toHex } from './base/bytes.ts';
import type { Log } from './base/log.ts';
import { version } from './base/version.ts';
import type { Box } from './box.ts';
import type { Clock } from './ports/clock.ts';
import type { MulticastNetwork } from './ports/datagram.ts';
import type { Entropy } from './ports/entropy.ts';
import type { PeerAddress } from './ports/secure-transport.ts';
import { Advertiser } from './zeroconf/dnssd/advertise.ts';
import type { AdvertiserFacts } from './zeroconf/dnssd/advertiser-facts.ts';
import { Browser, type FoundService, type HeardHostFacts } from './zeroconf/dnssd/browse.ts';
import { hostLabelFor, type ServiceOffer } from './zeroconf/dnssd/service.ts';
import type { NetworkMemory } from './zeroconf/network-memory.ts';

export const boxServiceType = '_aetherstore._tcp';
/** Where hosts tell what they are; file managers choose the picture by it. This one shows a server. */
const deviceInfo = { type: '_device-info._tcp', text: { model: 'RackMac' } };

/** Where a box answers. */
export interface BoxPlaces {
  readonly port: number;
  readonly web?: WebPorts | undefined;
}

/** Where its page is: over TLS, and what leads there from plain HTTP. */
export interface WebPorts {
  readonly port: number;
  readonly plainPort: number | null;
}

export interface AnnouncerPorts {
  readonly network: MulticastNetwork;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly memory: NetworkMemory;
}

/** What is announced, under which names, and who was heard. */
export interface AnnouncerFacts extends AdvertiserFacts {
  /** The host's name, with its domain. */
  readonly hostName: string;
  readonly heard: readonly HeardHostFacts[];
}

/** What a box's TXT record says of it; hints, all of them. */
export interface AnnouncedBox {
  readonly memberId: Bytes;
  readonly state: string;
  /** Eight hexadecimal digits that tell pools apart, not the pool's id; empty while unclaimed. */
  readonly poolTag: string;
  readonly version: string;
  /** Free space in GiB, rounded down to a power of two. */
  readonly freeGiB: number;
}

/** Announces a box on the LAN, keeps what it says up to date, and tells the box of others it hears. */
export class BoxAnnouncer {
  readonly #box: Box;
  readonly #advertiser: Advertiser;
  readonly #browser: Browser;
  readonly #unsubscribe: readonly (() => void)[];
  #said: string;

  /** `said`: what is announced of the box, as JSON; what has changed since is announced at once. */
  private constructor(box: Box, advertiser: Advertiser, browser: Browser, said: string) {
    this.#box = box;
    this.#advertiser = advertiser;
    this.#browser = browser;
    this.#said = said;
    this.#unsubscribe = [
      box.onChange(() => this.#update()),
      browser.onChange(({ kind, service }) => {
        if (kind !== 'removed') this.#hear(service);
      }),
    ];
    this.#update();
  }

  /**
   * Resolves when its sockets are open. The names are claimed on from then: those the box had last, when another host
   * made it choose them.
   */
  static async start(box: Box, places: BoxPlaces, ports: AnnouncerPorts): Promise<BoxAnnouncer> {
    const { memory } = ports;
    const last = memory.namesFor(box.name);
    const instance = last?.instance ?? box.name;
    const offer = offerOf(box);
    const services: readonly ServiceOffer[] = [
      { instance, type: boxServiceType, port: places.port, ...offer },
      { instance, ...deviceInfo },
      ...pagesOf(instance, places.web),
    ];
    const hostLabel = last?.host ?? hostLabelFor(box.name);
    const advertiser = await Advertiser.start({ hostLabel, services }, ports);
    advertiser.onRename((names) => memory.rememberNames({ wanted: box.name, ...names }));
    const browser = await Browser.start({ type: boxServiceType }, ports);
    return new BoxAnnouncer(box, advertiser, browser, JSON.stringify(offer));
  }

  facts(): AnnouncerFacts {
    const hostName = `${this.#advertiser.names.host}.local`;
    return { ...this.#advertiser.facts(), hostName, heard: this.#browser.heard() };
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#browser.close();
    await this.#advertiser.close();
  }

  #update(): void {
    const offer = offerOf(this.#box);
    const written = JSON.stringify(offer);
    // What was claimed makes known those who were heard before.
    for (const service of this.#browser.found()) this.#hear(service);
    if (written === this.#said) return;
    this.#said = written;
    this.#advertiser.update(boxServiceType, offer);
  }

  #hear(service: FoundService): void {
    const announced = announcedBoxOf(service);
    if (announced !== undefined) this.#box.hint(announced.memberId, addressesOf(service));
  }
}

/** What a found service says of the box behind it, or undefined when it is none of ours. */
export function announcedBoxOf({ text }: FoundService): AnnouncedBox | undefined {
  const memberId = fromHex(text.box ?? '');
  if (memberId?.length !== 32) return undefined;
  const freeGiB = Number(text.free ?? 0);
  return {
    memberId,
    state: text.state ?? '',
    poolTag: text.pool ?? '',
    version: text.v ?? '',
    freeGiB: Number.isSafeInteger(freeGiB) ? freeGiB : 0,
  };
}

/** Where to dial it: a link-local IPv6 address only with its interface. */
export function addressesOf({ addresses, port }: FoundService): readonly PeerAddress[] {
  return addresses.map(({ address, interfaceName }) => ({
    host: address.toLowerCase().startsWith('fe80:') ? `${address}%${interfaceName}` : address,
    port,
  }));
}

/** Eight digits by which a person and a desktop tell pools apart; says nothing of the pool's id. */
export function poolTagOf(pool: Bytes): string {
  return toHex(hash('sha256', pool, 'buffer')).slice(0, 8);
}

/** What changes of the service while the box runs: whom it belongs to, as a subtype and in the text, and its room. */
function offerOf(box: Box): Pick<ServiceOffer, 'subtypes' | 'text'> {
  return { subtypes: [box.claimed ? '_member' : '_unclaimed'], text: textOf(box) };
}

/** File managers and browsers list `_http._tcp`; a page that is only on TLS has a type of its own. */
function pagesOf(instance: string, web: WebPorts | undefined): readonly ServiceOffer[] {
  if (web === undefined) return [];
  const { port, plainPort } = web;
  const plain =
    plainPort === null ? [] : [{ instance, type: '_http._tcp', port: plainPort, text: { path: '/' } }];
  return [{ instance, type: '_https._tcp', port, text: { path: '/' } }, ...plain];
}

function textOf(box: Box): Readonly<Record<string, string>> {
  const freeGiB = box.status().capacity.freeBytes / 2 ** 30;
  return {
    txtvers: '1',
    box: toHex(box.identity.memberId),
    state: box.claimed ? 'member' : 'unclaimed',
    pool: box.poolId === undefined ? '' : poolTagOf(box.poolId),
    v: version,
    free: String(freeGiB < 1 ? 0 : 2 ** Math.floor(Math.log2(freeGiB))),
  };
}
