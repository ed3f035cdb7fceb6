/** The multicast group of the pool, as lines of text. Pure; each line is printable. */
import { countOf, formatAge, formatTable, wrapText } from '../../base/format.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import type { MulticastFacts } from '../../status/facts.ts';
import { labelled } from './labelled.ts';

export function multicastLines({ network }: ApplianceStatus, columns: number): readonly string[] {
  const { multicast } = network;
  if (multicast === null) return wrapText('This box belongs to no pool, and so to no group.', columns);
  return [
    ...groupLines(multicast, columns),
    '',
    ...memberLines(multicast, columns),
    '',
    ...labelled('sent', countOf(multicast.sent, 'packet'), columns),
    ...labelled('refused', refusedWords(multicast), columns),
  ];
}

function groupLines({ groups }: MulticastFacts, columns: number): readonly string[] {
  const rows = groups.map(({ address, ethernet, interfaces }) => [
    address,
    ethernet,
    interfaces.length === 0 ? 'nowhere' : interfaces.join(' '),
  ]);
  const titles = [{ title: 'group' }, { title: 'Ethernet address' }, { title: 'joined on', flexible: true }];
  return formatTable(titles, rows, columns);
}

function memberLines({ members }: MulticastFacts, columns: number): readonly string[] {
  if (members.length === 0) return ['The pool has no other box.'];
  const rows = members.map(({ name, address, heardAgoMs, lost, refused }) => [
    name,
    address ?? '',
    heardAgoMs === null ? 'not yet' : formatAge(heardAgoMs),
    String(lost),
    String(refused),
  ]);
  const titles = [
    { title: 'box', flexible: true },
    { title: 'address' },
    { title: 'heard' },
    { title: 'lost', align: 'right' as const },
    { title: 'refused', align: 'right' as const },
  ];
  return formatTable(titles, rows, columns);
}

function refusedWords({ foreign, strangers }: MulticastFacts): string {
  if (foreign + strangers === 0) return 'none of other senders';
  return `${strangers} sealed by strangers, ${foreign} of another kind`;
}
