import { type Bytes, emptyBytes, fromUtf8, utf8 } from '../../base/bytes.ts';
import { txtRecordBytesMax } from '../../base/discovery-limits.ts';
import { isLinkLocalIpv4, parseIpv4, parseIpv6 } from '../../base/ip-address.ts';
import type { InterfaceAddress } from '../../ports/datagram.ts';
import type { ResourceRecord } from '../dns/message.ts';
import type { Name } from '../dns/name.ts';
import type { Group } from '../mdns/group-state.ts';
import { serviceTypesName } from '../mdns/interests.ts';
import { hostTtlSeconds, otherTtlSeconds, sharedRecord, uniqueRecord } from '../mdns/records.ts';
import { invalidService } from './service-error.ts';

/** One service to be announced. */
export interface ServiceOffer {
  /** What a person sees: 1–63 bytes of UTF-8, any character but controls, dots too (RFC 6763 §4.1.1). */
  readonly instance: string;
  /** `_aetherstore._tcp`. */
  readonly type: string;
  /** `_member`: narrower kinds that may be browsed for (RFC 6763 §7.1). */
  readonly subtypes?: readonly string[];
  /**
   * 0 only reserves the instance name on this type, and offers nothing there (RFC 6763 §8). Without one the TXT record
   * stands alone and nobody finds it by browsing: so a host tells its model under `_device-info._tcp`.
   */
  readonly port?: number;
  /** Keys of 1–9 printable ASCII characters without `=`; `key=value` at most 255 bytes (RFC 6763 §6). */
  readonly text: Readonly<Record<string, string>>;
}

const localDomain = 'local';

/** The labels of `_aetherstore._tcp` in the local domain. Errors: `SERVICE_INVALID` (RFC 6763 §7). */
export function typeName(type: string): Name {
  const [service, protocol, ...rest] = type.split('.');
  const isService =
    /^_(?!-)(?!.*--)[a-z0-9-]{1,15}(?<!-)$/i.test(service ?? '') && /[a-z]/i.test(service ?? '');
  if (!isService || (protocol !== '_tcp' && protocol !== '_udp') || rest.length > 0) {
    throw invalidService(
      'a type such as _http._tcp was expected, its first name at most 15 letters, digits and hyphens',
    );
  }
  return [service!, protocol, localDomain];
}

/** The host's name in the local domain. Errors: `SERVICE_INVALID` unless letters, digits and inner hyphens, 1–63. */
export function hostName(label: string): Name {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)) {
    throw invalidService('a host name of letters, digits and hyphens was expected, at most 63');
  }
  return [label, localDomain];
}

/** A host label made of whatever a person called the box: `Anna’s Büro` becomes `Anna-s-Buro` (RFC 6762 has no rule). */
export function hostLabelFor(text: string): string {
  const ascii = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/gi, '-');
  return ascii.slice(0, 63).replace(/^-+|-+$/g, '') || 'aetherstore';
}

/**
 * The labels of one instance in the local domain, its text composed as RFC 5198 wants it (NFC). Errors:
 * `SERVICE_INVALID` unless 1–63 bytes of UTF-8 without control characters.
 */
export function instanceName(instance: string, type: string): Name {
  const composed = instance.normalize('NFC');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  const isText = composed.isWellFormed() && !/[\x00-\x1f\x7f]/.test(composed);
  if (!isText || composed === '' || utf8(composed).length > 63) {
    throw invalidService('an instance name of 1 to 63 bytes without control characters was expected');
  }
  return [composed, ...typeName(type)];
}

/** The name that those of a type's instances are listed under that are of one subtype. Errors: `SERVICE_INVALID`. */
export function subtypeName(subtype: string, type: string): Name {
  if (subtype === '' || !subtype.isWellFormed() || utf8(subtype).length > 63)
    throw invalidService('a subtype of 1 to 63 bytes was expected');
  return [subtype, '_sub', ...typeName(type)];
}

/** The strings of a TXT record, `txtvers` first (RFC 6763 §6.7), else in the order given. Errors: `SERVICE_INVALID`. */
export function textStrings(text: Readonly<Record<string, string>>): readonly Bytes[] {
  const keys = Object.keys(text).sort((a, b) => Number(b === 'txtvers') - Number(a === 'txtvers'));
  const strings = keys.map((key) => {
    if (!/^[\x20-\x3c\x3e-\x7e]{1,9}$/.test(key))
      throw invalidService('a TXT key of 1 to 9 ASCII characters was expected');
    const string = utf8(`${key}=${text[key]}`);
    if (string.length > 255) throw invalidService('a TXT string of at most 255 bytes was expected');
    return string;
  });
  const size = strings.reduce((sum, string) => sum + 1 + string.length, 0);
  if (size > txtRecordBytesMax)
    throw invalidService(`a TXT record of at most ${txtRecordBytesMax} bytes was expected`);
  return strings.length === 0 ? [emptyBytes] : strings;
}

/**
 * What a TXT record says. Of a repeated key the first counts, case aside, a string that begins with `=` is ignored,
 * and a key without `=` has the empty value (RFC 6763 §6.4). Keys are given in lower case.
 */
export function parseText(strings: readonly Bytes[]): Readonly<Record<string, string>> {
  const text = new Map<string, string>();
  for (const string of strings) {
    const whole = fromUtf8(string) ?? Buffer.from(string).toString('latin1');
    const split = whole.indexOf('=');
    const key = (split < 0 ? whole : whole.slice(0, split)).toLowerCase();
    if (key !== '' && !text.has(key)) text.set(key, split < 0 ? '' : whole.slice(split + 1));
  }
  return Object.fromEntries(text);
}

export const hostGroupId = 'host';

/** RFC 3927 §1.9: an address of 169.254/16 is told only where there is no other. */
function announceable(addresses: readonly InterfaceAddress[]): readonly InterfaceAddress[] {
  const isLinkLocal = ({ family, address }: InterfaceAddress) =>
    family === 'ipv4' && isLinkLocalIpv4(address);
  const hasOther = addresses.some((one) => one.family === 'ipv4' && !isLinkLocal(one));
  return hasOther ? addresses.filter((one) => !isLinkLocal(one)) : addresses;
}

/** The host's name and its addresses on one link, and the way back from each address (RFC 6762 §4, §14). */
export function hostGroup(label: string, addresses: readonly InterfaceAddress[]): Group {
  const name = hostName(label);
  const said = announceable(addresses);
  const own = said.map(({ family, address }) =>
    uniqueRecord(name, hostTtlSeconds, { kind: family === 'ipv4' ? 'a' : 'aaaa', address }),
  );
  const reverse = said.map(({ address }) =>
    uniqueRecord(reverseName(address), hostTtlSeconds, { kind: 'ptr', target: name }),
  );
  return { id: hostGroupId, claim: { name, records: own }, records: [...own, ...reverse] };
}

/**
 * One service, under the instance name it has now (RFC 6763 §4–§9). `id` names it for as long as it is offered. Errors:
 * `SERVICE_INVALID`.
 */
export function serviceGroup(id: string, offer: ServiceOffer, hostLabel: string): Group {
  const { port } = offer;
  const name = instanceName(offer.instance, offer.type);
  const txt = uniqueRecord(name, otherTtlSeconds, { kind: 'txt', strings: textStrings(offer.text) });
  const groupOf = (own: readonly ResourceRecord[], pointers: readonly ResourceRecord[] = []): Group => {
    return { id, claim: { name, records: own }, records: [...pointers, ...own], after: hostGroupId };
  };
  if (port === undefined) return groupOf([txt]);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalidService('a port was expected');
  const target = hostName(hostLabel);
  const srv = uniqueRecord(name, hostTtlSeconds, { kind: 'srv', priority: 0, weight: 0, port, target });
  if (port === 0) return groupOf([srv]);
  const type = typeName(offer.type);
  const pointer = (from: Name, to: Name): ResourceRecord =>
    sharedRecord(from, otherTtlSeconds, { kind: 'ptr', target: to });
  const subtypes = (offer.subtypes ?? []).map((subtype) => pointer(subtypeName(subtype, offer.type), name));
  return groupOf([srv, txt], [pointer(type, name), ...subtypes, pointer(serviceTypesName, type)]);
}

/** `4.3.2.1.in-addr.arpa` (RFC 1035 §3.5), and nibble by nibble under `ip6.arpa` (RFC 3596 §2.5). */
function reverseName(address: string): Name {
  const four = parseIpv4(address);
  if (four !== undefined) return [...Array.from(four, String).reverse(), 'in-addr', 'arpa'];
  const nibbles = Array.from(parseIpv6(address)!, (byte) => [
    (byte >> 4).toString(16),
    (byte & 15).toString(16),
  ]);
  return [...nibbles.flat().reverse(), 'ip6', 'arpa'];
}

/** The host label to try next: `box`, `box-2`, `box-3` (RFC 6762 §9). */
export function nextHostLabel(label: string): string {
  const [, stem, number] = /^(.*?)(?:-(\d{1,6}))?$/.exec(label)!;
  const suffix = `-${number === undefined ? 2 : Number(number) + 1}`;
  return `${stem!.slice(0, 63 - suffix.length).replace(/-+$/, '')}${suffix}`;
}

/** The instance name to try next: `Box`, `Box (2)`, `Box (3)` (RFC 6763 appendix D). */
export function nextInstance(instance: string): string {
  const [, stem, number] = /^(.*?)(?: \((\d{1,6})\))?$/s.exec(instance)!;
  const suffix = ` (${number === undefined ? 2 : Number(number) + 1})`;
  const characters = Array.from(stem!);
  while (utf8(characters.join('')).length + suffix.length > 63) characters.pop();
  return characters.join('') + suffix;
}
