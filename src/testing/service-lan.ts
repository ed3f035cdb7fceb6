import { silentLog } from '../base/log.ts';
import { Advertiser } from '../zeroconf/dnssd/advertise.ts';
import { type BrowseEvent, Browser, type BrowserOptions } from '../zeroconf/dnssd/browse.ts';
import type { ServiceOffer } from '../zeroconf/dnssd/service.ts';
import type { MdnsPorts } from '../zeroconf/mdns/mdns-host.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLan, type FakeLanOptions, type FakeMulticastNetwork } from './fake-multicast-network.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const boxType = '_aetherstore._tcp';

export const boxOffer: ServiceOffer = {
  instance: 'Box',
  type: boxType,
  subtypes: ['_member'],
  port: 4711,
  text: { txtvers: '1', box: 'a' },
};

/** Production hosts on a virtual clock and wire. */
export class ServiceLan {
  readonly clock = new FakeClock();
  readonly wire: FakeLan;
  #seed: number;

  constructor(seed = 1, options: Partial<FakeLanOptions> = {}) {
    this.#seed = seed;
    this.wire = new FakeLan({ clock: this.clock, seed, delayMs: { least: 0.1, most: 2 }, ...options });
  }

  ports(network: FakeMulticastNetwork): MdnsPorts {
    return { network, clock: this.clock, entropy: new SeededEntropy(this.#seed++), log: silentLog };
  }

  /** One service, as {@link boxOffer} with `changes`, and others beside it. */
  advertise(
    network: FakeMulticastNetwork,
    hostLabel: string,
    changes: Partial<ServiceOffer> = {},
    others: readonly ServiceOffer[] = [],
  ): Promise<Advertiser> {
    const services = [{ ...boxOffer, ...changes }, ...others];
    return Advertiser.start({ hostLabel, services }, this.ports(network));
  }

  async browse(
    network: FakeMulticastNetwork,
    options: BrowserOptions = { type: boxType },
  ): Promise<{ readonly browser: Browser; readonly events: readonly BrowseEvent[] }> {
    const browser = await Browser.start(options, this.ports(network));
    const events: BrowseEvent[] = [];
    browser.onChange((event) => events.push(event));
    return { browser, events };
  }
}
