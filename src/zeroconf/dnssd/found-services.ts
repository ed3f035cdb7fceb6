import { foundAddressesMax } from '../../base/discovery-limits.ts';
import { recordType } from '../dns/message.ts';
import { type Name, nameKey } from '../dns/name.ts';
import { type CachedRecord, lookUp, type RecordCache } from '../mdns/cache.ts';
import type { QuerierState } from '../mdns/querier.ts';
import { parseText } from './service.ts';

/** One instance that answers with a host, a port and an address. */
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

/** What some queriers found together, by instance name: one service heard on several links has all its addresses. */
export type FoundServices = ReadonlyMap<string, FoundService>;

/** Instances whose SRV, TXT and at least one address are known, of one link added to those of others. */
export function withServicesOf(
  found: FoundServices,
  { cache, wanted }: QuerierState,
  interfaceName: string,
): FoundServices {
  const all = new Map(found);
  for (const name of wanted.instances) {
    const service = serviceOf(cache, name, interfaceName);
    if (service === undefined) continue;
    const key = nameKey(name);
    const other = all.get(key);
    const addresses = inOrder([...(other?.addresses ?? []), ...service.addresses]);
    all.set(key, { ...(other ?? service), addresses });
  }
  return all;
}

function serviceOf(cache: RecordCache, name: Name, interfaceName: string): FoundService | undefined {
  const [instance, ...labels] = name;
  const srv = lookUp(cache, name, recordType.srv).at(-1)?.record.data;
  const txt = lookUp(cache, name, recordType.txt).at(-1)?.record.data;
  if (instance === undefined || srv?.kind !== 'srv' || txt?.kind !== 'txt') return undefined;
  const addresses = addressesIn(cache, srv.target, interfaceName);
  if (addresses.length === 0) return undefined;
  const type = labels.slice(0, -1).join('.');
  const host = srv.target.join('.');
  return { instance, type, host, port: srv.port, addresses, text: parseText(txt.strings) };
}

function addressesIn(cache: RecordCache, host: Name, interfaceName: string): readonly FoundAddress[] {
  const four = newest(lookUp(cache, host, recordType.a)).flatMap(({ record: { data } }) =>
    data.kind === 'a' ? [{ family: 'ipv4' as const, address: data.address, interfaceName }] : [],
  );
  const six = newest(lookUp(cache, host, recordType.aaaa)).flatMap(({ record: { data } }) =>
    data.kind === 'aaaa' ? [{ family: 'ipv6' as const, address: data.address, interfaceName }] : [],
  );
  return [...four, ...six];
}

function newest(records: readonly CachedRecord[]): readonly CachedRecord[] {
  return records.slice(-foundAddressesMax);
}

function inOrder(addresses: readonly FoundAddress[]): readonly FoundAddress[] {
  const byText = new Map(addresses.map((one) => [`${one.family} ${one.address} ${one.interfaceName}`, one]));
  return [...byText.keys()].sort().map((key) => byText.get(key)!);
}
