import { mdnsInstancesMax, mdnsTypesMax } from '../../base/discovery-limits.ts';
import { recordType } from '../dns/message.ts';
import { type Name, nameKey, sameName } from '../dns/name.ts';
import { lookUp, type RecordCache } from './cache.ts';

/** What leads to all service types there are (RFC 6763 §9). */
export const serviceTypesName: Name = ['_services', '_dns-sd', '_udp', 'local'];

/** What a querier is to find: services of types, down to the addresses of their hosts, and instances known by name. */
export interface Interests {
  /** `['_http', '_tcp', 'local']`, or of a subtype `['_printer', '_sub', '_http', '_tcp', 'local']`. */
  readonly types: readonly Name[];
  /** `['Box', '_http', '_tcp', 'local']`. */
  readonly instances: readonly Name[];
  /** Every type that is announced as well. */
  readonly everyType: boolean;
}

/** The names that `interests` lead to, by what is known; bounded whatever strangers say. */
export interface WantedNames {
  /** Whose PTR records are wanted. */
  readonly pointers: readonly Name[];
  /** Whose SRV and TXT records are wanted. */
  readonly instances: readonly Name[];
  /** Whose addresses are wanted. */
  readonly hosts: readonly Name[];
}

export function wantedNames(interests: Interests, cache: RecordCache): WantedNames {
  const pointers = distinctNames([
    ...(interests.everyType ? [serviceTypesName] : []),
    ...interests.types,
    ...(interests.everyType ? knownTypes(cache) : []),
  ]);
  const found = pointers.flatMap((type) => instancesOf(type, cache));
  const instances = distinctNames([...interests.instances, ...found]).slice(0, mdnsInstancesMax);
  const hosts = instances.flatMap((name) =>
    lookUp(cache, name, recordType.srv).flatMap(({ record: { data } }) =>
      data.kind === 'srv' ? [data.target] : [],
    ),
  );
  return { pointers, instances, hosts: distinctNames(hosts).slice(0, mdnsInstancesMax) };
}

/** The service types that were announced, each of two labels in the local domain. */
export function knownTypes(cache: RecordCache): readonly Name[] {
  const isType = ([service, protocol, domain, ...rest]: Name) =>
    service?.startsWith('_') === true &&
    /^_(tcp|udp)$/i.test(protocol ?? '') &&
    domain?.toLowerCase() === 'local' &&
    rest.length === 0;
  return targetsOf(serviceTypesName, cache).filter(isType).slice(0, mdnsTypesMax);
}

/** The instances that a type or subtype has; a name that is none of its instances is not followed (RFC 6763 §4.1). */
function instancesOf(type: Name, cache: RecordCache): readonly Name[] {
  const domain = type.at(-4)?.toLowerCase() === '_sub' ? type.slice(-3) : type;
  return targetsOf(type, cache).filter((target) => sameName(target.slice(1), domain));
}

function targetsOf(name: Name, cache: RecordCache): readonly Name[] {
  return lookUp(cache, name, recordType.ptr).flatMap(({ record: { data } }) =>
    data.kind === 'ptr' ? [data.target] : [],
  );
}

function distinctNames(names: readonly Name[]): readonly Name[] {
  return [...new Map(names.map((name) => [nameKey(name), name])).values()];
}
