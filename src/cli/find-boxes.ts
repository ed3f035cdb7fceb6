import { toHex } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import { printable } from '../base/format.ts';
import { type AnnouncedBox, addressesOf, announcedBoxOf, boxServiceType } from '../box-announcer.ts';
import { defaultPort } from '../box-config.ts';
import { NodeMulticastNetwork } from '../platform/node-multicast.ts';
import { sleep } from '../ports/clock.ts';
import type { PeerAddress } from '../ports/secure-transport.ts';
import { type BrowseEvent, Browser, type FoundService } from '../zeroconf/dnssd/browse.ts';
import { desktopPorts } from './desktop.ts';
import { within } from './within.ts';

/** A box that announces itself on the LAN. */
export interface FoundBox extends AnnouncedBox {
  readonly name: string;
  readonly host: string;
  readonly addresses: readonly PeerAddress[];
}

/**
 * How long boxes have to answer: the second question, for those that missed the first, leaves after at most 1120 ms,
 * and answers come within 120 ms (RFC 6762 §5.2, §6).
 */
export const scanMs = 1300;
const findMs = 3000;
/** Of what a box, or somebody who poses as one, says of itself. */
const shownCharactersMax = 32;

/** Follows the boxes on the LAN. */
export class BoxFinder {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<BoxFinder> {
    const network = new NodeMulticastNetwork();
    return new BoxFinder(await Browser.start({ type: boxServiceType }, { network, ...desktopPorts }));
  }

  found(): readonly FoundBox[] {
    return this.#browser.found().flatMap(boxOf);
  }

  /** As they announce themselves, whatever that is. */
  services(): readonly FoundService[] {
    return this.#browser.found();
  }

  onFound(listener: () => void): () => void {
    return this.#browser.onChange(listener);
  }

  /** Calls `listener` for each box that comes, goes or says something new, until the function it returns is called. */
  follow(listener: (kind: BrowseEvent['kind'], box: FoundBox) => void): () => void {
    return this.#browser.onChange(({ kind, service }) => {
      for (const box of boxOf(service)) listener(kind, box);
    });
  }

  /** The boxes there are, once everyone has had time to answer. */
  async scan(signal: AbortSignal): Promise<readonly FoundBox[]> {
    await sleep(desktopPorts.clock, scanMs, signal);
    return this.found();
  }

  /** Resolves as soon as a box of that name, host name or member id (its beginning) is found. */
  async find(wanted: string, signal: AbortSignal): Promise<readonly PeerAddress[]> {
    const matches = () => this.found().filter((box) => isCalled(box, wanted));
    const waited = Promise.withResolvers<void>();
    const unsubscribe = this.onFound(() => {
      if (matches().length > 0) waited.resolve();
    });
    if (matches().length === 0) await within(waited.promise, findMs, signal);
    unsubscribe();
    const [box, other] = matches();
    if (box === undefined) throw boxNotFound(wanted, this.found());
    if (other !== undefined) {
      throw new AetherError('BOX_AMBIGUOUS', `more than one box is called ${wanted}`, {
        help: `Name it by the first digits of its id: ${toHex(box.memberId).slice(0, 8)} or ${toHex(other.memberId).slice(0, 8)}.`,
      });
    }
    return box.addresses;
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

/** The box behind a service, if it is one. */
function boxOf(service: FoundService): readonly FoundBox[] {
  const announced = announcedBoxOf(service);
  if (announced === undefined) return [];
  const { instance, host } = service;
  const shown = (text: string) => printable(text).slice(0, shownCharactersMax);
  return [
    {
      ...announced,
      name: printable(instance),
      host: printable(host),
      poolTag: shown(announced.poolTag),
      version: shown(announced.version),
      state: shown(announced.state),
      addresses: addressesOf(service),
    },
  ];
}

/** `HOST:PORT`, `[v6]:PORT` or an IP address as an address; undefined for the name of a box. */
export function parseAddress(text: string): PeerAddress | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:]+):(\d{1,5})$/.exec(text) ?? /^(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const bare = /^([0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*(?:%[^\s:]+)?)$/i.exec(text);
  const match = bracketed ?? plain ?? bare;
  if (match === null) return undefined;
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  return port < 1 || port > 65_535 ? undefined : { host: match[1]!, port };
}

function isCalled(box: FoundBox, wanted: string): boolean {
  const lower = wanted.toLowerCase();
  if (box.name.toLowerCase() === lower) return true;
  if (box.host.toLowerCase().replace(/\.$/, '') === lower) return true;
  return lower.length >= 4 && toHex(box.memberId).startsWith(lower);
}

function boxNotFound(wanted: string, found: readonly FoundBox[]): AetherError {
  const names = found.map(({ name }) => name).join(', ');
  return new AetherError('BOX_NOT_FOUND', `no box called ${wanted} answers on this network`, {
    help:
      names === ''
        ? 'See that the box is on and on the same network; or name it by HOST:PORT.'
        : `These answer: ${names}.`,
  });
}
