import type { DatagramAddress } from '../ports/datagram.ts';
import {
  type Message,
  type Question,
  query,
  type ResourceRecord,
  recordType,
} from '../zeroconf/dns/message.ts';
import { hostGroup, type ServiceOffer, serviceGroup } from '../zeroconf/dnssd/service.ts';
import type { Group } from '../zeroconf/mdns/group-state.ts';
import {
  emptyPublisher,
  type PublisherEvent,
  type PublisherState,
  publisherDueMs,
  publisherStep,
  publisherWants,
} from '../zeroconf/mdns/publisher.ts';
import type { SendAction } from '../zeroconf/mdns/responder.ts';

export interface SentMessage extends SendAction {
  readonly atMs: number;
}

export const neighbour: DatagramAddress = { address: '10.0.0.9', port: 5353 };

interface BoxChanges extends Partial<ServiceOffer> {
  readonly hostLabel?: string;
  /** IPv4. */
  readonly addresses?: readonly string[];
}

/** A service `Box` of type `_http._tcp` on a host `box` at 10.0.0.1 and fe80::1, as groups for a publisher. */
export function boxGroups(changes: BoxChanges = {}): readonly Group[] {
  const { hostLabel = 'box', addresses = ['10.0.0.1'], ...offer } = changes;
  const service = { instance: 'Box', type: '_http._tcp', port: 80, text: { txtvers: '1' }, ...offer };
  return [
    hostGroup(hostLabel, [
      ...addresses.map((address) => ({ family: 'ipv4' as const, address, prefixLength: 24 })),
      { family: 'ipv6', address: 'fe80::1', prefixLength: 64 },
    ]),
    serviceGroup('service', service, hostLabel),
  ];
}

export const instance = ['Box', '_http', '_tcp', 'local'];
export const httpType = ['_http', '_tcp', 'local'];
export const host = ['box', 'local'];

/** One publisher on a virtual clock. */
export class PublisherRun {
  now = 0;
  /** Every draw from now on. */
  draw: number;
  readonly sent: SentMessage[] = [];
  readonly conflicts: { readonly groupId: string; readonly atMs: number }[] = [];
  readonly announced: string[] = [];
  readonly disputes: string[] = [];
  #state: PublisherState = emptyPublisher;

  constructor(draw = 0) {
    this.draw = draw;
  }

  /** A publisher that holds the names of `groups` and has ended its announcements a minute ago. */
  static announced(groups = boxGroups(), draw = 0): PublisherRun {
    const run = new PublisherRun(draw);
    run.offer(groups);
    run.runTo(60_000);
    run.sent.length = 0;
    return run;
  }

  offer(groups: readonly Group[]): void {
    this.#step({ kind: 'offer', groups, draw: this.draw });
  }

  /** `multicast`: whether it was to the group. As a shell does, drops at once what cannot matter. */
  hear(message: Message, from = neighbour, multicast = true): void {
    if (!publisherWants(this.#state, message)) return;
    this.#step({ kind: 'message', message, from, multicast, draw: this.draw });
  }

  /** Entries of every list and table that strangers could make grow. */
  get size(): number {
    const { pending, truncated, replies, multicastAtMs } = this.#state.responder;
    const lists = [truncated, replies.waiting, this.#state.conflicts.recentMs];
    return pending.size + multicastAtMs.size + lists.reduce((sum, list) => sum + list.length, 0);
  }

  withdraw(): void {
    this.#step({ kind: 'withdraw' });
  }

  runTo(endMs: number): void {
    for (;;) {
      const dueMs = publisherDueMs(this.#state);
      if (dueMs === undefined || dueMs > endMs) break;
      this.now = Math.max(this.now, dueMs);
      this.#step({ kind: 'tick' });
    }
    this.now = endMs;
  }

  /** What was sent since the last call, up to `durationMs` from now. */
  within(durationMs: number): readonly SentMessage[] {
    this.runTo(this.now + durationMs);
    return this.sent.splice(0);
  }

  #step(event: PublisherEvent): void {
    const step = publisherStep(this.#state, event, this.now);
    this.#state = step.state;
    for (const action of step.actions) {
      if (action.kind === 'send') this.sent.push({ ...action, atMs: this.now });
      else if (action.kind === 'conflict') this.conflicts.push({ groupId: action.groupId, atMs: this.now });
      else if (action.kind === 'announced') this.announced.push(action.groupId);
      else this.disputes.push(action.from);
    }
  }
}

export function ask(name: readonly string[], type: number, unicastResponse = false): Question {
  return { name, type, class: 1, unicastResponse };
}

/** A query for one name and type, with known answers. */
export function askOne(
  name: readonly string[],
  type: number,
  answers: readonly ResourceRecord[] = [],
): Message {
  return query({ questions: [ask(name, type)], answers });
}

/** `ptr Box`, `a`, …: what records are about, short enough to compare. */
export function kindsOf(records: readonly ResourceRecord[]): readonly string[] {
  return records.map((record) => record.data.kind).sort();
}

export const anyType = recordType.any;
