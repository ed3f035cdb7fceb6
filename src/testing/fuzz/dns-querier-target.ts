import assert from 'node:assert/strict';
import type { Bytes } from '../../base/bytes.ts';
import {
  mdnsCacheRecordsMax,
  mdnsCacheSetRecordsMax,
  mdnsInstancesMax,
  mdnsTypesMax,
} from '../../base/discovery-limits.ts';
import {
  type QuerierEvent,
  type QuerierState,
  querierStep,
  startQuerying,
} from '../../zeroconf/mdns/querier.ts';
import { decoded } from './dns-codec-target.ts';
import { dnsCorpus } from './dns-corpus.ts';
import { dnsLayout } from './dns-layout.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import { drawsOf } from './packet-draws.ts';
import { sentBytes } from './sent-bytes.ts';

const ticksMax = 10_000;
const interests = {
  types: [
    ['_http', '_tcp', 'local'],
    ['_member', '_sub', '_http', '_tcp', 'local'],
  ],
  instances: [['Drucker im Büro', '_ipp', '_tcp', 'local']],
  everyType: true,
};
/** Pointers of the types that were asked for and announced; of each instance SRV and TXT; of each host A and AAAA. */
const asksMax = 3 + mdnsTypesMax + 4 * mdnsInstancesMax;

export const dnsQuerierTarget: FuzzTarget = {
  name: 'dns-querier',
  about: 'a querier of one service type with its cache, its questions and their renewal',
  corpus: dnsCorpus,
  layoutOf: dnsLayout,
  start: () => new QuerierSubject(),
};

class QuerierSubject implements FuzzSubject {
  #state: QuerierState = startQuerying(interests, 0, 0.5);
  #now = 0;
  readonly #counts = { decoded: 0, sent: 0 };
  readonly #most = { cached: 0, 'largest set': 0, asks: 0 };

  receive(bytes: Bytes, timed: Stopwatch): void {
    const { afterMs, from, multicast, draw } = drawsOf(bytes);
    this.#runTo(this.#now + afterMs, timed);
    const message = timed(() => decoded(bytes));
    if (message === undefined) return;
    this.#counts.decoded++;
    const event = { kind: 'message', message, from, multicast, draw } as const;
    timed(() => this.#step(event));
  }

  check(): void {
    const { cache, asks, wanted } = this.#state;
    const sets = [...cache.sets.values()];
    const inSets = sets.reduce((sum, set) => sum + set.length, 0);
    assert.equal(inSets, cache.size, 'the cache counts other than it holds');
    const sizes = {
      cached: cache.size,
      'largest set': Math.max(0, ...sets.map((set) => set.length)),
      asks: asks.size,
    };
    assert.ok(sizes.cached <= mdnsCacheRecordsMax, `${sizes.cached} records cached`);
    assert.ok(sizes['largest set'] <= mdnsCacheSetRecordsMax, `${sizes['largest set']} records of one set`);
    assert.ok(sizes.asks <= asksMax, `${sizes.asks} questions under way`);
    assert.ok(wanted.instances.length <= mdnsInstancesMax && wanted.hosts.length <= mdnsInstancesMax);
    for (const key of ['cached', 'largest set', 'asks'] as const) {
      this.#most[key] = Math.max(this.#most[key], sizes[key]);
    }
  }

  figures(): Readonly<Record<string, number>> {
    return { ...this.#counts, ...this.#most };
  }

  #runTo(endMs: number, timed: Stopwatch): void {
    let ticks = 0;
    while (this.#state.dueMs <= endMs) {
      assert.ok(ticks++ < ticksMax, 'ticks without end');
      this.#now = Math.max(this.#now, this.#state.dueMs);
      timed(() => this.#step({ kind: 'tick', draw: 0.5 }));
    }
    this.#now = endMs;
  }

  #step(event: QuerierEvent): void {
    const step = querierStep(this.#state, event, this.#now);
    this.#state = step.state;
    for (const action of step.actions) this.#counts.sent += sentBytes(action).length;
  }
}
