import type { Link, RefusedPackets } from '../mdns/mdns-host.ts';
import type { PublisherState } from '../mdns/publisher.ts';
import type { ServiceOffer } from './service.ts';

/** What an advertiser claims, announces and had to give way in. */
export interface AdvertiserFacts {
  readonly links: readonly LinkFacts[];
  readonly conflicts: NameConflicts;
  /** Under the names they have now. */
  readonly services: readonly ServiceOffer[];
  readonly refused: RefusedPackets;
}

/** How our names stand on one interface, over one address family. */
export interface LinkFacts {
  readonly interfaceName: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly names: readonly NameFacts[];
}

export interface NameFacts {
  /** `box.local`, `Mr. Box._http._tcp.local`: for people, since a dot may be part of an instance's name. */
  readonly name: string;
  /** `probing`: asking whether anybody has it; `held`: ours; `lost`: somebody has it. */
  readonly standing: 'probing' | 'held' | 'lost';
}

/** Other hosts that had, or said things of, a name we wanted or held. */
export interface NameConflicts {
  readonly count: number;
  readonly lastAgoMs: number | null;
  /** The other host's address. */
  readonly lastFrom: string | null;
}

export function linkFacts({ interfaceName, family }: Link, { groups }: PublisherState): LinkFacts {
  const names = groups.map(({ group, standing }) => ({ name: group.claim.name.join('.'), standing }));
  return { interfaceName, family, names };
}
