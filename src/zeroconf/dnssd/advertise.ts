import type { Log } from '../../base/log.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { InterfaceAddress } from '../../ports/datagram.ts';
import type { Group } from '../mdns/group-state.ts';
import { type Link, type LinkHandler, MdnsHost, type MdnsPorts } from '../mdns/mdns-host.ts';
import {
  emptyPublisher,
  type PublisherEvent,
  type PublisherState,
  publisherDueMs,
  publisherStep,
  publisherWants,
} from '../mdns/publisher.ts';
import { type AdvertiserFacts, linkFacts } from './advertiser-facts.ts';
import {
  hostGroup,
  hostGroupId,
  hostName,
  instanceName,
  nextHostLabel,
  nextInstance,
  type ServiceOffer,
  serviceGroup,
} from './service.ts';
import { invalidService } from './service-error.ts';
import { type Updates, updateDueMs, withUpdate } from './update-limit.ts';

export interface AdvertiserOptions {
  /** Letters, digits and hyphens; a number is appended where another host has the name. The one used last, best. */
  readonly hostLabel: string;
  /** One of each type. Instance names, too, best as they were used last. */
  readonly services: readonly ServiceOffer[];
}

/** The names as they are now, after any conflict. */
export interface AdvertisedNames {
  /** Without `.local`. */
  readonly host: string;
  /** Of the first service; empty when there is none. */
  readonly instance: string;
}

/** What may change of a service under its name. */
export type ServiceChanges = Partial<Pick<ServiceOffer, 'text' | 'subtypes' | 'port'>>;

interface LinkState {
  readonly link: Link;
  publisher: PublisherState;
  readonly announced: Set<string>;
}

/**
 * Names this host and its services on every link, defends the names, and says goodbye at the end. A name that had to
 * be chosen is kept, also when the other host is gone; whoever remembers it over restarts hears of it by
 * {@link onRename}.
 */
export class Advertiser {
  /** Resolves when everything has been announced on one link, or the advertiser was closed. */
  readonly ready: Promise<void>;
  #resolveReady: () => void = () => {};
  readonly #states = new Map<string, LinkState>();
  readonly #listeners = new Set<(names: AdvertisedNames) => void>();
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #host: MdnsHost;
  #hostLabel: string;
  #services: readonly ServiceOffer[];
  #updates: Updates = [];
  #updateTimer: Timer | undefined;
  #conflicts = { count: 0, lastMs: 0, lastFrom: '' };

  private constructor(options: AdvertiserOptions, ports: MdnsPorts) {
    this.#hostLabel = options.hostLabel;
    this.#services = [];
    this.#log = ports.log.part('mdns');
    this.#clock = ports.clock;
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
    this.#host = new MdnsHost(this.#linkHandler(), ports);
  }

  /**
   * Resolves when sockets are open; probing goes on, also on links that come later. Errors: `SERVICE_INVALID`.
   */
  static async start(options: AdvertiserOptions, ports: MdnsPorts): Promise<Advertiser> {
    const advertiser = new Advertiser(options, ports);
    hostName(options.hostLabel);
    for (const service of options.services) advertiser.register(service);
    await advertiser.#host.start();
    return advertiser;
  }

  get names(): AdvertisedNames {
    return { host: this.#hostLabel, instance: this.#services[0]?.instance ?? '' };
  }

  /** What a person may want to know; plain data. */
  facts(): AdvertiserFacts {
    const { count, lastMs, lastFrom } = this.#conflicts;
    const lastAgoMs = count === 0 ? null : this.#clock.monotonicMs() - lastMs;
    return {
      links: [...this.#states.values()].map(({ link, publisher }) => linkFacts(link, publisher)),
      conflicts: { count, lastAgoMs, lastFrom: count === 0 ? null : lastFrom },
      services: this.#services,
      refused: this.#host.refused(),
    };
  }

  /** Calls `listener` each time another host's claim made us take another name; the answer ends that. */
  onRename(listener: (names: AdvertisedNames) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Offers one service more. Errors: `SERVICE_INVALID`, also when there is one of its type already. */
  register(offer: ServiceOffer): void {
    if (this.#services.some(({ type }) => type === offer.type))
      throw invalidService(`one service of type ${offer.type} is announced already`);
    serviceGroup('', offer, this.#hostLabel);
    this.#services = [...this.#services, offer];
    this.#offerEverywhere();
  }

  /** Says goodbye to the service of `type`; nothing happens when there is none. */
  unregister(type: string): void {
    this.#services = this.#services.filter((service) => service.type !== type);
    this.#offerEverywhere();
    for (const state of this.#states.values()) this.#noteAnnounced(state);
  }

  /**
   * Changes what the service of `type` says, and announces that; its name stays. Changes that come faster than ten a
   * minute are announced together later (RFC 6762 §8.4). Errors: `SERVICE_INVALID`.
   */
  update(type: string, changes: ServiceChanges): void {
    const changed = this.#services.map((service) =>
      service.type === type ? { ...service, ...changes } : service,
    );
    for (const service of changed) serviceGroup('', service, this.#hostLabel);
    this.#services = changed;
    this.#announceUpdate();
  }

  /** Changes the TXT record of the service of `type`. Errors: `SERVICE_INVALID`. */
  updateText(type: string, text: Readonly<Record<string, string>>): void {
    this.update(type, { text });
  }

  /** Takes other names, as a person asked: goodbye to the old, probing for the new. Errors: `SERVICE_INVALID`. */
  rename(names: AdvertisedNames): void {
    hostName(names.host);
    const services = this.#services.map((service) => ({ ...service, instance: names.instance }));
    for (const { instance, type } of services) instanceName(instance, type);
    this.#hostLabel = names.host;
    this.#services = services;
    this.#offerEverywhere();
  }

  /** Sends goodbye on every link and closes the sockets. */
  async close(): Promise<void> {
    this.#updateTimer?.cancel();
    this.#host.forEachLink((link, now) => this.#dispatch(link, { kind: 'withdraw' }, now));
    await this.#host.close();
    this.#listeners.clear();
    this.#resolveReady();
  }

  #linkHandler(): LinkHandler {
    return {
      opened: (link, now) => {
        this.#states.set(link.key, { link, publisher: emptyPublisher, announced: new Set() });
        this.#offer(link, now);
      },
      addressesChanged: (link, now) => this.#offer(link, now),
      closed: (link) => void this.#states.delete(link.key),
      wants: (link, head) => publisherWants(this.#publisherOf(link), head),
      received: (link, message, { from, multicast }, now) =>
        this.#dispatch(link, { kind: 'message', message, from, multicast, draw: this.#host.draw() }, now),
      tick: (link, now) => this.#dispatch(link, { kind: 'tick' }, now),
      dueMs: (link) => publisherDueMs(this.#publisherOf(link)),
    };
  }

  #publisherOf(link: Link): PublisherState {
    return this.#states.get(link.key)?.publisher ?? emptyPublisher;
  }

  /** What is offered on a link: only addresses that are valid there (RFC 6762 §14). */
  #groups(addresses: readonly InterfaceAddress[]): readonly Group[] {
    return [
      hostGroup(this.#hostLabel, addresses),
      ...this.#services.map((service) => serviceGroup(service.type, service, this.#hostLabel)),
    ];
  }

  #announceUpdate(): void {
    if (this.#updateTimer !== undefined) return;
    const now = this.#clock.monotonicMs();
    const dueMs = updateDueMs(this.#updates, now);
    if (dueMs > now) {
      this.#updateTimer = this.#clock.after(dueMs - now, () => {
        this.#updateTimer = undefined;
        this.#announceUpdate();
      });
      return;
    }
    this.#updates = withUpdate(this.#updates, now);
    this.#offerEverywhere();
  }

  #offer(link: Link, now: number): void {
    const groups = this.#groups(link.addresses);
    this.#dispatch(link, { kind: 'offer', groups, draw: this.#host.draw() }, now);
  }

  #offerEverywhere(): void {
    this.#host.forEachLink((link, now) => this.#offer(link, now));
  }

  #dispatch(link: Link, event: PublisherEvent, now: number): void {
    const state = this.#states.get(link.key);
    if (state === undefined) return;
    const step = publisherStep(state.publisher, event, now);
    state.publisher = step.state;
    const lost: string[] = [];
    for (const action of step.actions) {
      if (action.kind === 'send') this.#host.send(link, action);
      else if (action.kind === 'announced') this.#noteAnnounced(state, action.groupId);
      else if (action.kind === 'disputed') this.#noteConflict(action.from, now);
      else lost.push(action.groupId);
    }
    if (lost.length > 0) this.#renameLost(lost);
  }

  #noteAnnounced({ announced }: LinkState, groupId?: string): void {
    if (groupId !== undefined) announced.add(groupId);
    const all = [hostGroupId, ...this.#services.map(({ type }) => type)];
    if (all.every((id) => announced.has(id))) this.#resolveReady();
  }

  #noteConflict(from: string, now: number): void {
    this.#conflicts = { count: this.#conflicts.count + 1, lastMs: now, lastFrom: from };
  }

  /** Chooses other names for what others have, on all links at once: a host has one name wherever it is seen. */
  #renameLost(groupIds: readonly string[]): void {
    if (groupIds.includes(hostGroupId)) this.#hostLabel = nextHostLabel(this.#hostLabel);
    const lost = new Set(
      this.#services.filter(({ type }) => groupIds.includes(type)).map(({ instance }) => instance),
    );
    // Services of one instance name stay together (RFC 6763 §8).
    this.#services = this.#services.map((service) =>
      lost.has(service.instance) ? { ...service, instance: nextInstance(service.instance) } : service,
    );
    this.#log.info('name is taken on this network, another was chosen', { names: groupIds.length });
    this.#offerEverywhere();
    for (const listener of this.#listeners) listener(this.names);
  }
}
