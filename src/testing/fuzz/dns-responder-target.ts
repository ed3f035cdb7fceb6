import assert from 'node:assert/strict';
import type { Bytes } from '../../base/bytes.ts';
import {
  mdnsTruncatedQueriesMax,
  mdnsUnicastRepliesMax,
  mdnsUnicastRepliesPerSecondMax,
} from '../../base/discovery-limits.ts';
import {
  hostGroup,
  hostGroupId,
  nextHostLabel,
  nextInstance,
  type ServiceOffer,
  serviceGroup,
} from '../../zeroconf/dnssd/service.ts';
import {
  emptyPublisher,
  type PublisherEvent,
  type PublisherState,
  publisherDueMs,
  publisherStep,
} from '../../zeroconf/mdns/publisher.ts';
import { decoded } from './dns-codec-target.ts';
import { dnsCorpus } from './dns-corpus.ts';
import { dnsLayout } from './dns-layout.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import { drawsOf } from './packet-draws.ts';
import { sentBytes } from './sent-bytes.ts';

/** After so many, the host takes its first names again, which the corpus speaks of. */
const packetsBeforeReset = 500;
const ticksMax = 1000;
const firstNames = { host: 'alder', instance: 'Mr. Box' };
const addresses = [
  { family: 'ipv4', address: '10.0.0.1', prefixLength: 24 },
  { family: 'ipv6', address: 'fe80::1', prefixLength: 64 },
] as const;
const offers: readonly Omit<ServiceOffer, 'instance'>[] = [
  { type: '_http._tcp', subtypes: ['_member'], port: 80, text: { txtvers: '1', path: '/' } },
  { type: '_aetherstore._tcp', port: 4711, text: {} },
  { type: '_printer._tcp', port: 0, text: {} },
];

export const dnsResponderTarget: FuzzTarget = {
  name: 'dns-responder',
  about: 'a publisher of a host and three services, through probing, answering, conflicts and new names',
  corpus: dnsCorpus,
  layoutOf: dnsLayout,
  start: () => new ResponderSubject(),
};

class ResponderSubject implements FuzzSubject {
  #state: PublisherState = emptyPublisher;
  #now = 0;
  #names = firstNames;
  #packets = 0;
  readonly #counts = { decoded: 0, sent: 0, conflicts: 0 };
  readonly #most = { pending: 0, 'answers of one reply': 0, 'records multicast': 0 };

  constructor() {
    this.#offer(0.5);
    this.#runTo(60_000, (work) => work());
  }

  receive(bytes: Bytes, timed: Stopwatch): void {
    const { afterMs, from, multicast, draw } = drawsOf(bytes);
    if (++this.#packets % packetsBeforeReset === 0) {
      this.#names = firstNames;
      this.#offer(draw);
    }
    this.#runTo(this.#now + afterMs, timed);
    const message = timed(() => decoded(bytes));
    if (message === undefined) return;
    this.#counts.decoded++;
    const event = { kind: 'message', message, from, multicast, draw } as const;
    timed(() => this.#step(event));
  }

  check(): void {
    const { groups, responder, conflicts } = this.#state;
    const { replies, truncated, zone } = responder;
    // Each record of ours may wait and be remembered once, and so may the denial that a name of ours may have.
    const recordsMax = zone.records.length + zone.byName.size;
    assert.equal(groups.length, offers.length + 1);
    assert.ok(conflicts.recentMs.length <= 15, `${conflicts.recentMs.length} conflicts remembered`);
    const sizes = {
      pending: responder.pending.size,
      'answers of one reply': Math.max(
        0,
        ...[...truncated, ...replies.waiting].map(({ answers }) => answers.length),
      ),
      'records multicast': responder.multicastAtMs.size,
    };
    for (const [what, size] of Object.entries(sizes)) {
      assert.ok(size <= recordsMax, `${what}: ${size}, of ${recordsMax} records that there are`);
      const key = what as keyof typeof sizes;
      this.#most[key] = Math.max(this.#most[key], size);
    }
    assert.ok(truncated.length <= mdnsTruncatedQueriesMax);
    assert.ok(replies.waiting.length <= mdnsUnicastRepliesMax);
    assert.ok(replies.count <= mdnsUnicastRepliesPerSecondMax);
    const dueMs = publisherDueMs(this.#state);
    assert.ok(dueMs === undefined || (dueMs > this.#now - 1 && Number.isFinite(dueMs)), `due at ${dueMs}`);
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#most };
  }

  #offer(draw: number): void {
    const { host, instance } = this.#names;
    const services = offers.map((offer, index) =>
      serviceGroup(`service ${index}`, { ...offer, instance }, host),
    );
    this.#step({ kind: 'offer', groups: [hostGroup(host, addresses), ...services], draw });
  }

  #runTo(endMs: number, timed: Stopwatch): void {
    let ticks = 0;
    for (let dueMs = publisherDueMs(this.#state); dueMs !== undefined && dueMs <= endMs; ) {
      assert.ok(ticks++ < ticksMax, 'ticks without end');
      this.#now = Math.max(this.#now, dueMs);
      timed(() => this.#step({ kind: 'tick' }));
      dueMs = publisherDueMs(this.#state);
    }
    this.#now = endMs;
  }

  #step(event: PublisherEvent): void {
    const step = publisherStep(this.#state, event, this.#now);
    this.#state = step.state;
    const lost: string[] = [];
    for (const action of step.actions) {
      if (action.kind === 'send') this.#counts.sent += sentBytes(action).length;
      else if (action.kind === 'conflict') lost.push(action.groupId);
    }
    if (lost.length > 0) this.#rename(lost);
  }

  #rename(lost: readonly string[]): void {
    this.#counts.conflicts += lost.length;
    const host = lost.includes(hostGroupId) ? nextHostLabel(this.#names.host) : this.#names.host;
    const isInstanceLost = lost.some((id) => id !== hostGroupId);
    const instance = isInstanceLost ? nextInstance(this.#names.instance) : this.#names.instance;
    this.#names = { host, instance };
    this.#offer(0.5);
  }
}
