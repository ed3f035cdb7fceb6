import assert from 'node:assert/strict';
import type { Bytes } from '../../base/bytes.ts';
import { mdnsCacheRecordsMax } from '../../base/discovery-limits.ts';
import { silentLog } from '../../base/log.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MulticastSocket } from '../../ports/datagram.ts';
import { Advertiser } from '../../zeroconf/dnssd/advertise.ts';
import { Browser } from '../../zeroconf/dnssd/browse.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeLan } from '../fake-multicast-network.ts';
import { SeededEntropy } from '../seeded-entropy.ts';
import { dnsCorpus } from './dns-corpus.ts';
import { dnsLayout } from './dns-layout.ts';
import type { FuzzSubject, FuzzTarget, Stopwatch } from './fuzz-target.ts';
import { drawsOf } from './packet-draws.ts';

const strangersCount = 4;
const firstNames = { host: 'alder', instance: 'Mr. Box' };
const packetsBeforeReset = 500;

export const mdnsHostTarget: FuzzTarget = {
  name: 'mdns-host',
  about: 'advertiser and browser with their sockets and timers, on a fake LAN among four strangers',
  corpus: dnsCorpus,
  layoutOf: dnsLayout,
  start: () => HostSubject.start(),
};

interface World {
  readonly clock: FakeClock;
  readonly lan: FakeLan;
  readonly stopwatch: { timed: Stopwatch };
}

class HostSubject implements FuzzSubject {
  readonly #clock: FakeClock;
  readonly #lan: FakeLan;
  readonly #strangers: readonly MulticastSocket[];
  readonly #advertiser: Advertiser;
  readonly #browser: Browser;
  readonly #stopwatch: { timed: Stopwatch };
  readonly #counts = { sent: 0, received: 0, renames: 0, events: 0 };
  #mostFound = 0;

  private constructor(
    world: World,
    strangers: readonly MulticastSocket[],
    advertiser: Advertiser,
    browser: Browser,
  ) {
    this.#clock = world.clock;
    this.#lan = world.lan;
    this.#stopwatch = world.stopwatch;
    this.#strangers = strangers;
    this.#advertiser = advertiser;
    this.#browser = browser;
    advertiser.onRename(() => void this.#counts.renames++);
    browser.onChange(() => void this.#counts.events++);
  }

  static async start(): Promise<HostSubject> {
    const clock = new FakeClock();
    const stopwatch: World['stopwatch'] = { timed: (work) => work() };
    const timedClock: Clock = {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => clock.after(delayMs, () => stopwatch.timed(action)),
    };
    const lan = new FakeLan({ clock: timedClock, seed: 1 });
    const ports = {
      network: lan.host('box'),
      clock: timedClock,
      entropy: new SeededEntropy(1),
      log: silentLog,
    };
    const services = [
      { instance: firstNames.instance, type: '_http._tcp', port: 80, text: { path: '/' } },
      { instance: firstNames.instance, type: '_aetherstore._tcp', port: 4711, text: {} },
    ];
    const advertiser = await Advertiser.start({ hostLabel: firstNames.host, services }, ports);
    const browser = await Browser.start({ type: '_http._tcp' }, ports);
    const strangers: MulticastSocket[] = [];
    for (let index = 0; index < strangersCount; index++) {
      const network = lan.host(`stranger ${index}`);
      for (const [family, group] of [
        ['ipv4', '224.0.0.251'],
        ['ipv6', 'ff02::fb'],
      ] as const) {
        strangers.push(await network.open({ interfaceName: 'eth0', family, group, port: 5353 }));
      }
    }
    await clock.run(10_000);
    return new HostSubject({ clock, lan, stopwatch }, strangers, advertiser, browser);
  }

  async receive(bytes: Bytes, timed: Stopwatch): Promise<void> {
    this.#stopwatch.timed = timed;
    const { afterMs, multicast, draw } = drawsOf(bytes);
    this.#counts.received++;
    if (this.#counts.received % packetsBeforeReset === 0) this.#advertiser.rename(firstNames);
    const stranger = Math.floor(draw * this.#strangers.length);
    const to = { address: stranger % 2 === 0 ? '10.0.0.1' : 'fe80::0:1', port: 5353 };
    this.#strangers[stranger]!.send(bytes, multicast ? undefined : to);
    // Two hours of renewed questions are for the querier's own target.
    await this.#clock.run(Math.min(afterMs, 5000));
    this.#counts.sent += this.#lan.captured.filter(({ host }) => host === 'box').length;
    this.#lan.captured.length = 0;
  }

  check(): void {
    const { host, instance } = this.#advertiser.names;
    assert.match(host, /^alder(-\d+)?$/);
    assert.match(instance, /^Mr\. Box( \(\d+\))?$/);
    const found = this.#browser.found();
    assert.ok(found.length <= 2 * mdnsCacheRecordsMax, `${found.length} services found`);
    this.#mostFound = Math.max(this.#mostFound, found.length);
  }

  figures(): Readonly<Record<string, number>> {
    const { sent, renames, events } = this.#counts;
    return { sent, renames, 'browser events': events, 'services found': this.#mostFound };
  }
}
