import type { Log } from '../../base/log.ts';
import type { InterfaceAddress } from '../../ports/datagram.ts';
import { type Link, type LinkHandler, MdnsHost, type MdnsPorts } from '../mdns/mdns-host.ts';
import {
  emptyPublisher,
  type Group,
  type PublisherEvent,
  type PublisherState,
  publisherDueMs,
  publisherStep,
} from '../mdns/publisher.ts';
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

export interface AdvertiserOptions {
  /** Letters, digits and hyphens; a number is appended where another host has the name. */
  readonly hostLabel: string;
  readonly services: readonly ServiceOffer[];
}

/** The names as they are now, after any conflict. */
export interface AdvertisedNames {
  /** Without `.local`. */
  readonly host: string;
  /** Of the first service; empty when there is none. */
  readonly instance: string;
}

/** Names this host and its services on every link, defends the names, and says goodbye at the end. */
export class Advertiser {
  /** Resolves when everything has been announced on one link, or the advertiser was closed. */
  readonly ready: Promise<void>;
  #resolveReady: () => void = () => {};
  readonly #states = new Map<string, PublisherState>();
  readonly #announced = new Map<string, Set<string>>();
  readonly #listeners = new Set<(names: AdvertisedNames) => void>();
  readonly #log: Log;
  readonly #host: MdnsHost;
  #hostLabel: string;
  #services: readonly ServiceOffer[];

  private constructor(options: AdvertiserOptions, ports: MdnsPorts) {
    this.#hostLabel = options.hostLabel;
    this.#services = options.services;
    this.#log = ports.log.part('mdns');
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
    advertiser.#groups([]);
    await advertiser.#host.start();
    return advertiser;
  }

  get names(): AdvertisedNames {
    return { host: this.#hostLabel, instance: this.#services[0]?.instance ?? '' };
  }

  /** Calls `listener` each time another host's claim made us take another name; the answer ends that. */
  onRename(listener: (names: AdvertisedNames) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the TXT record of the services of `type` and announces that; the names stay. Errors: `SERVICE_INVALID`. */
  updateText(type: string, text: Readonly<Record<string, string>>): void {
    const before = this.#services;
    this.#services = before.map((service) => (service.type === type ? { ...service, text } : service));
    try {
      this.#groups([]);
    } catch (error) {
      this.#services = before;
      throw error;
    }
    this.#offerEverywhere();
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
    this.#host.forEachLink((link, now) => this.#dispatch(link, { kind: 'withdraw' }, now));
    await this.#host.close();
    this.#listeners.clear();
    this.#resolveReady();
  }

  #linkHandler(): LinkHandler {
    return {
      opened: (link, now) => {
        this.#states.set(link.key, emptyPublisher);
        this.#announced.set(link.key, new Set());
        this.#offer(link, now);
      },
      addressesChanged: (link, now) => this.#offer(link, now),
      closed: (link) => {
        this.#states.delete(link.key);
        this.#announced.delete(link.key);
      },
      received: (link, message, { from, multicast }, now) =>
        this.#dispatch(link, { kind: 'message', message, from, multicast, draw: this.#host.draw() }, now),
      tick: (link, now) => this.#dispatch(link, { kind: 'tick' }, now),
      dueMs: (link) => publisherDueMs(this.#states.get(link.key) ?? emptyPublisher),
    };
  }

  /** What is offered on a link: only addresses that are valid there (RFC 6762 §14). */
  #groups(addresses: readonly InterfaceAddress[]): readonly Group[] {
    return [
      hostGroup(this.#hostLabel, addresses),
      ...this.#services.map((service, index) => serviceGroup(serviceId(index), service, this.#hostLabel)),
    ];
  }

  #offer(link: Link, now: number): void {
    this.#dispatch(
      link,
      { kind: 'offer', groups: this.#groups(link.addresses), draw: this.#host.draw() },
      now,
    );
  }

  #offerEverywhere(): void {
    this.#host.forEachLink((link, now) => this.#offer(link, now));
  }

  #dispatch(link: Link, event: PublisherEvent, now: number): void {
    const step = publisherStep(this.#states.get(link.key) ?? emptyPublisher, event, now);
    this.#states.set(link.key, step.state);
    const lost: string[] = [];
    for (const action of step.actions) {
      if (action.kind === 'send') this.#host.send(link, action);
      else if (action.kind === 'announced') this.#noteAnnounced(link, action.groupId);
      else lost.push(action.groupId);
    }
    if (lost.length > 0) this.#renameLost(lost);
  }

  #noteAnnounced(link: Link, groupId: string): void {
    const announced = this.#announced.get(link.key)?.add(groupId);
    if (announced?.size === this.#services.length + 1) this.#resolveReady();
  }

  /** Chooses other names for what others have, on all links at once: a host has one name wherever it is seen. */
  #renameLost(groupIds: readonly string[]): void {
    if (groupIds.includes(hostGroupId)) this.#hostLabel = nextHostLabel(this.#hostLabel);
    const lost = new Set(
      this.#services.filter((_, index) => groupIds.includes(serviceId(index))).map((one) => one.instance),
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

function serviceId(index: number): string {
  return `service ${index}`;
}
