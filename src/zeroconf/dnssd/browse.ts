import { sleep } from '../../ports/clock.ts';
import { recordType } from '../dns/message.ts';
import { type Name, nameKey } from '../dns/name.ts';
import { lookUp, type RecordCache } from '../mdns/cache.ts';
import { type Link, type LinkHandler, MdnsHost, type MdnsPorts } from '../mdns/mdns-host.ts';
import {
  type QuerierEvent,
  type QuerierState,
  querierDueMs,
  querierStep,
  startQuerying,
} from '../mdns/querier.ts';
import { parseText, typeName } from './service.ts';

/** One instance of the browsed type that answers with a host, a port and an address. */
export interface FoundService {
  readonly instance: string;
  /** `_aetherstore._tcp`. */
  readonly type: string;
  /** With its domain: `box.local`. */
  readonly host: string;
  readonly port: number;
  /** IPv4 first. An IPv6 link-local address is of use only with its interface as the zone: `fe80::1%eth0`. */
  readonly addresses: readonly FoundAddress[];
  /** Keys in lower case. */
  readonly text: Readonly<Record<string, string>>;
}

export interface FoundAddress {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** The interface that it was heard on and is valid on. */
  readonly interfaceName: string;
}

export interface BrowseEvent {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly service: FoundService;
}

/** Follows which instances of one service type are on the links of this host. */
export class Browser {
  readonly #type: string;
  readonly #typeName: Name;
  readonly #states = new Map<string, { link: Link; querier: QuerierState }>();
  readonly #listeners = new Set<(event: BrowseEvent) => void>();
  readonly #host: MdnsHost;
  #found: ReadonlyMap<string, FoundService> = new Map();

  private constructor(type: string, ports: MdnsPorts) {
    this.#type = type;
    this.#typeName = typeName(type);
    this.#host = new MdnsHost(this.#linkHandler(), ports);
  }

  /** Resolves when sockets are open; the first question follows within 120 ms. Errors: `SERVICE_INVALID`. */
  static async start(options: { readonly type: string }, ports: MdnsPorts): Promise<Browser> {
    const browser = new Browser(options.type, ports);
    await browser.#host.start();
    return browser;
  }

  found(): readonly FoundService[] {
    return [...this.#found.values()];
  }

  /** Calls `listener` for every change from now on; the answer ends that. */
  onChange(listener: (event: BrowseEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#host.close();
  }

  #linkHandler(): LinkHandler {
    return {
      opened: (link, now) => {
        this.#states.set(link.key, { link, querier: startQuerying(this.#typeName, now, this.#host.draw()) });
      },
      addressesChanged: () => {},
      closed: (link) => {
        this.#states.delete(link.key);
        this.#compare();
      },
      received: (link, message, { from }, now) =>
        this.#dispatch(link, { kind: 'message', message, from }, now),
      tick: (link, now) => this.#dispatch(link, { kind: 'tick' }, now),
      dueMs: (link) => {
        const state = this.#states.get(link.key);
        return state === undefined ? undefined : querierDueMs(state.querier);
      },
    };
  }

  #dispatch(link: Link, event: QuerierEvent, now: number): void {
    const state = this.#states.get(link.key);
    if (state === undefined) return;
    const step = querierStep(state.querier, event, now);
    this.#states.set(link.key, { link, querier: step.state });
    for (const action of step.actions) this.#host.send(link, action);
    if (step.state.cache !== state.querier.cache) this.#compare();
  }

  /** Tells the listeners what is different from what they were told last. */
  #compare(): void {
    const before = this.#found;
    const found = new Map<string, FoundService>();
    for (const { link, querier } of this.#states.values()) {
      for (const service of servicesIn(querier, this.#type, link.interfaceName)) {
        const key = nameKey([service.instance]);
        found.set(key, merged(found.get(key), service));
      }
    }
    this.#found = found;
    const events: BrowseEvent[] = [];
    for (const [key, service] of found) {
      const old = before.get(key);
      if (old === undefined) events.push({ kind: 'added', service });
      else if (JSON.stringify(old) !== JSON.stringify(service)) events.push({ kind: 'changed', service });
    }
    for (const [key, service] of before) if (!found.has(key)) events.push({ kind: 'removed', service });
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }
}

/** What is there, after listening for `durationMs`. Errors: `SERVICE_INVALID`. */
export async function scan(
  options: { readonly type: string; readonly durationMs: number },
  ports: MdnsPorts,
): Promise<readonly FoundService[]> {
  const browser = await Browser.start(options, ports);
  try {
    await sleep(ports.clock, options.durationMs);
    return browser.found();
  } finally {
    await browser.close();
  }
}

/** Instances whose SRV, TXT and at least one address are known on one link. */
function servicesIn(querier: QuerierState, type: string, interfaceName: string): readonly FoundService[] {
  const { cache } = querier;
  return lookUp(cache, querier.type, recordType.ptr).flatMap(({ record }) => {
    if (record.data.kind !== 'ptr') return [];
    const name = record.data.target;
    const srv = lookUp(cache, name, recordType.srv).at(-1)?.record.data;
    const txt = lookUp(cache, name, recordType.txt).at(-1)?.record.data;
    if (srv?.kind !== 'srv' || txt?.kind !== 'txt') return [];
    const addresses = addressesIn(cache, srv.target, interfaceName);
    if (addresses.length === 0 || name[0] === undefined) return [];
    const host = srv.target.join('.');
    return [{ instance: name[0], type, host, port: srv.port, addresses, text: parseText(txt.strings) }];
  });
}

function addressesIn(cache: RecordCache, host: Name, interfaceName: string): readonly FoundAddress[] {
  const four = lookUp(cache, host, recordType.a).flatMap(({ record: { data } }) =>
    data.kind === 'a' ? [{ family: 'ipv4' as const, address: data.address, interfaceName }] : [],
  );
  const six = lookUp(cache, host, recordType.aaaa).flatMap(({ record: { data } }) =>
    data.kind === 'aaaa' ? [{ family: 'ipv6' as const, address: data.address, interfaceName }] : [],
  );
  return inOrder([...four, ...six]);
}

/** One service heard on several links: all its addresses, each once on each interface. */
function merged(first: FoundService | undefined, second: FoundService): FoundService {
  if (first === undefined) return second;
  return { ...first, addresses: inOrder([...first.addresses, ...second.addresses]) };
}

function inOrder(addresses: readonly FoundAddress[]): readonly FoundAddress[] {
  const byText = new Map(addresses.map((one) => [`${one.family} ${one.address} ${one.interfaceName}`, one]));
  return [...byText.keys()].sort().map((key) => byText.get(key)!);
}
