/** What a box knows of its network, as lines of text. Pure; each line is printable. */
import { countOf, formatAge, formatTable, printable, wrapText } from '../../base/format.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import type { AddressFacts, AddressOrigin, InterfaceFacts, NetworkFacts } from '../../status/facts.ts';
import { labelled } from './labelled.ts';

const originWords: Readonly<Record<AddressOrigin, string>> = {
  dhcp: 'DHCP',
  router: 'router',
  static: 'static',
  'link-local': 'link-local',
};

export function networkLines({ network }: ApplianceStatus, columns: number): readonly string[] {
  const { port, announcedNames, services, sharesPortWith } = network;
  const offers = services.map((service) => `${service.instance} on ${service.type} port ${service.port}`);
  return [
    ...interfaceLines(network.interfaces, columns),
    '',
    ...labelled('port', port === null ? 'not listening' : String(port), columns),
    ...labelled('names', announcedNames.length === 0 ? 'none yet' : announcedNames.join(', '), columns),
    ...labelled('services', offers.length === 0 ? 'none announced' : offers.join(', '), columns),
    ...labelled('conflicts', conflictWords(network), columns),
    ...labelled('refused', refusedWords(network), columns),
    ...(sharesPortWith.length === 0
      ? []
      : labelled('mDNS', `port 5353 is shared with ${sharesPortWith.join(', ')}`, columns)),
    ...heardLines(network, columns),
  ];
}

function interfaceLines(interfaces: readonly InterfaceFacts[], columns: number): readonly string[] {
  if (interfaces.length === 0) return ['No network interface is up.'];
  const rows = interfaces.flatMap((one) => {
    const addresses = one.addresses.length === 0 ? [[one.name, 'no address', '']] : [];
    return [
      ...addresses,
      ...one.addresses.map((each, index) => [
        index === 0 ? one.name : '',
        each.address,
        fromWords(one, each),
      ]),
    ];
  });
  const titles = [{ title: 'interface' }, { title: 'address' }, { title: 'from', flexible: true }];
  return [
    ...formatTable(titles, rows, columns),
    ...interfaces.flatMap((one) => linkLocalLines(one, columns)),
  ];
}

function fromWords({ linkLocal }: InterfaceFacts, { address, origin }: AddressFacts): string {
  if (origin === null) return '';
  return linkLocal?.phase === 'held' && linkLocal.address === address
    ? 'link-local, claimed by this box'
    : originWords[origin];
}

/** What the table cannot say: a claim under way, one that cannot be made, and who was in the way. */
function linkLocalLines({ name, linkLocal }: InterfaceFacts, columns: number): readonly string[] {
  if (linkLocal === null) return [];
  const { phase, address, reason, conflicts } = linkLocal;
  const words = {
    off: '',
    held: '',
    waiting: 'waiting for a DHCP server before a link-local address is claimed',
    probing: `asking whether somebody has ${address ?? 'a link-local address'}`,
    unavailable: `no link-local address: ${reason ?? 'not possible here'}`,
  }[phase];
  const disputes = conflicts === 0 ? '' : `${countOf(conflicts, 'conflict')} over link-local addresses`;
  return [words, disputes]
    .filter((text) => text !== '')
    .flatMap((text) => wrapText(printable(`${name}: ${text}`), columns));
}

function conflictWords({ conflicts: { count, lastAgoMs, lastFrom } }: NetworkFacts): string {
  if (count === 0) return 'none over names';
  const last = lastAgoMs === null ? '' : `, the last ${formatAge(lastAgoMs)}`;
  return `${count} over names${last}${lastFrom === null ? '' : ` with ${lastFrom}`}`;
}

function refusedWords({ refused: { malformed, offLink, arp } }: NetworkFacts): string {
  const words = [
    malformed === 0 ? '' : `${countOf(malformed, 'packet')} that ${malformed === 1 ? 'was' : 'were'} no DNS`,
    offLink === 0 ? '' : `${countOf(offLink, 'packet')} from another network`,
    arp === 0 ? '' : `${countOf(arp, 'frame')} that ${arp === 1 ? 'was' : 'were'} no ARP`,
  ];
  return words.filter((text) => text !== '').join(', ') || 'nothing';
}

function heardLines({ heard }: NetworkFacts, columns: number): readonly string[] {
  if (heard.length === 0) return labelled('heard', 'nobody yet', columns);
  const rows = heard.map(({ host, address, agoMs }) => [host, address, formatAge(agoMs)]);
  const titles = [{ title: 'heard', flexible: true }, { title: 'address' }, { title: 'when' }];
  return ['', ...formatTable(titles, rows, columns)];
}
