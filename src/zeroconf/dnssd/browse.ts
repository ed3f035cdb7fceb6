import { type Clock, sleep } from '../../ports/clock.ts';
import { nameKey } from '../dns/name.ts';
import { type HeardHosts, withHeard } from '../mdns/heard-hosts.ts';
import { type Interests, knownTypes } from '../mdns/interests.ts';
import { type Link, type LinkHandler, MdnsHost, type MdnsPorts } from '../mdns/mdns-host.ts';
import {
  type QuerierEvent,
  type QuerierState,
  querierStep,
  querierWants,
  startQuerying,
} from '../mdns/querier.ts';
import { type FoundService, type FoundServices, withServicesOf } from './found-services.ts';
import { instanceName, subtypeName, typeName } from './service.ts';

export type { FoundService } from './found-services.ts';

/** What to look for: any of these, or several. */
export interface BrowserOptions {
  /** `_aetherstore._tcp`. */
  readonly type?: string;
  /** Only those of `type` that are of this subtype: `_unclaimed` (RFC 6763 §7.1). */
  readonly subtype?: string;
  readonly types?: readonly string[];
  /** Every type that somebody announces (RFC 6763 §9). */
  readonly everyType?: boolean;
  /** Known by name: only host, port, addresses and text are asked for. */
  readonly instances?: readonly InstanceName[];
}

export interface InstanceName {
  readonly instance: string;
  readonly type: string;
}

export interface BrowseEvent {
  readonly kind: 'added' | 'changed' | 'removed';
  readonly service: FoundService;
}

/** A host that said something of itself. */
export interface HeardHostFacts {
  /** `box.local`. */
  readonly host: string;
  /** An IPv6 link-local one is of use only with its interface as the zone. */
  readonly address: string;
  readonly interfaceName: string;
  readonly agoMs: number;
}

/** Follows which services are on the links of this host. */
export class Browser {
  readonly #interests: Interests;
  readonly #states = new Map<string, { link: Link; querier: QuerierState }>();
  readonly #listeners = new Set<(event: BrowseEvent) => void>();
  readonly #clock: Clock;
  readonly #host: MdnsHost;
  #found: FoundServices = new Map();
  #heard: HeardHosts = new Map();
  #isStarted = false;

  private constructor(options: BrowserOptions, ports: MdnsPorts) {
    this.#interests = interestsOf(options);
    this.#clock = ports.clock;
    this.#host = new MdnsHost(this.#linkHandler(), ports);
  }

  /** Resolves when sockets are open; the first question follows within 120 ms. Errors: `SERVICE_INVALID`. */
  static async start(options: BrowserOptions, ports: MdnsPorts): Promise<Browser> {
    const browser = new Browser(options, ports);
    await browser.#host.start();
    browser.#isStarted = true;
    return browser;
  }

  found(): readonly FoundService[] {
    return [...this.#found.values()];
  }

  /** The types that are announced, when every type is followed: `_http._tcp`. */
  types(): readonly string[] {
    const types = [...this.#states.values()].flatMap(({ querier }) => knownTypes(querier.cache));
    return [...new Set(types.map((type) => type.slice(0, -1).join('.')))].sort();
  }

  /** Hosts that said their own address, the last heard first; not only those that offer what is looked for. */
  heard(): readonly HeardHostFacts[] {
    const now = this.#clock.monotonicMs();
    return [...this.#heard.values()].reverse().map(({ name, address, interfaceName, heardMs }) => {
      return { host: name.join('.'), address, interfaceName, agoMs: now - heardMs };
    });
  }

  /** Calls `listener` for every change from now on; the answer ends that. */
  onChange(listener: (event: BrowseEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells that a found service could not be reached: it is asked for anew, and removed after 10 s without answer. */
  doubt({ instance, type }: InstanceName): void {
    const name = instanceName(instance, type);
    this.#host.forEachLink((link, now) =>
      this.#dispatch(link, { kind: 'doubt', instance: name, draw: this.#host.draw() }, now),
    );
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#host.close();
  }

  #linkHandler(): LinkHandler {
    return {
      opened: (link, now) => {
        const querier = startQuerying(this.#interests, now, this.#host.draw(), this.#isStarted);
        this.#states.set(link.key, { link, querier });
      },
      addressesChanged: (link, now) => this.#dispatch(link, { kind: 'moved', draw: this.#host.draw() }, now),
      closed: (link) => {
        this.#states.delete(link.key);
        this.#compare();
      },
      wants: (link, head) => {
        const state = this.#states.get(link.key);
        return state !== undefined && querierWants(state.querier, head);
      },
      received: (link, message, { from, multicast }, now) => {
        if (message.response)
          this.#heard = withHeard(this.#heard, message, from.address, link.interfaceName, now);
        this.#dispatch(link, { kind: 'message', message, from, multicast, draw: this.#host.draw() }, now);
      },
      tick: (link, now) => this.#dispatch(link, { kind: 'tick', draw: this.#host.draw() }, now),
      dueMs: (link) => {
        const dueMs = this.#states.get(link.key)?.querier.dueMs;
        return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs;
      },
    };
  }

  #dispatch(link: Link, event: QuerierEvent, now: number): void {
    const state = this.#states.get(link.key);
    if (state === undefined) return;
    const step = querierStep(state.querier, event, now);
    this.#states.set(link.key, { link, querier: step.state });
    for (const action of step.actions) this.#host.send(link, action);
    if (step.state.cache.edition !== state.querier.cache.edition) this.#compare();
  }

  /** Tells the listeners what is different from what they were told last. */
  #compare(): void {
    const before = this.#found;
    let found: FoundServices = new Map();
    for (const { link, querier } of this.#states.values())
      found = withServicesOf(found, querier, link.interfaceName);
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
  options: BrowserOptions & { readonly durationMs: number },
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

/** One instance as soon as it answers, or undefined after `withinMs`. Errors: `SERVICE_INVALID`. */
export async function resolveInstance(
  wanted: InstanceName & { readonly withinMs: number },
  ports: MdnsPorts,
): Promise<FoundService | undefined> {
  const browser = await Browser.start({ instances: [wanted] }, ports);
  const answered = Promise.withResolvers<void>();
  browser.onChange(() => answered.resolve());
  const timer = ports.clock.after(wanted.withinMs, answered.resolve);
  await answered.promise;
  timer.cancel();
  const [found] = browser.found();
  await browser.close();
  return found;
}

function interestsOf({ type, subtype, types, everyType, instances }: BrowserOptions): Interests {
  const one = type === undefined ? [] : [subtype === undefined ? typeName(type) : subtypeName(subtype, type)];
  const all = [...one, ...(types ?? []).map(typeName)];
  return {
    types: [...new Map(all.map((name) => [nameKey(name), name])).values()],
    instances: (instances ?? []).map((known) => instanceName(known.instance, known.type)),
    everyType: everyType ?? false,
  };
}
