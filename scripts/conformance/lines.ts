/** One thing that a standard asks of us, and that tests named after it prove. */
export interface Line {
  /** What the names of its tests begin with: `M14`, `RFC 6763 §8`. */
  readonly id: string;
  readonly asks: string;
}

export interface Chapter {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** The document is made of these, and of nothing else but what tests say. */
export const chapters: readonly Chapter[] = [
  {
    title: 'Link-local addresses (RFC 3927)',
    lines: [
      line('L0', 'No multicast DNS before there is an address: at boot, after hot-plug, after a conflict'),
      line(
        'L1',
        'Probes: a wait of 0–1 s, 3 of them 1–2 s apart, sender address 0, link-layer broadcast (§2.2.1)',
      ),
      line('L2', 'Denied by an ARP reply, or any packet with the candidate as its sender: another address'),
      line(
        'L3',
        'A foreign probe for the same address: another address; an ordinary ARP request is no conflict',
      ),
      line('L4', 'After 10 conflicts one new address a minute at most; counted anew only after success'),
      line('L5', 'Claimed 2 s after the last probe; 2 announcements 2 s apart (§2.4)'),
      line('L6', 'A later conflict: defended once; a second one within 10 s: another address (§2.5)'),
      line('L7', 'The link comes back: probed for again, the old address first'),
      line('L8', '169.254.1.0–169.254.254.255, seeded by the MAC; the last good one is remembered (§2.1)'),
      line(
        'L9',
        'Link-layer broadcast for all ARP that the program sends with a link-local sender (§2.5); the kernel answers for that address by unicast ([decision 6](decisions/0006-link-local-beside-dhcp.md))',
      ),
      line('L10', 'An address by DHCP replaces it once nothing uses it (§1.9)'),
    ],
  },
  {
    title: 'Multicast DNS (RFC 6762)',
    lines: [
      line(
        'M1',
        'Probing: after 0–250 ms, 3 × 250 ms, type ANY, QU, proposals in the authority section; announced 250 ms after the third (§8.1)',
      ),
      line(
        'M2',
        'Simultaneous probes: class, type and raw data compared, sets sorted, the later wins; the loser waits 1 s and probes for the same name; identical is no conflict (§8.2)',
      ),
      line('M3', 'The winner goes on and announces (§8.2)'),
      line(
        'M4',
        'Denied: another name (host `-2`, instance ` (2)`), kept from then on; responses before the first probe are ignored (§8.1, §9)',
      ),
      line('M5', '15 conflicts within 10 s: 5 s between attempts (§8.1)'),
      line('M6', 'Host and services are probed for in parallel (§8.1)'),
      line('M7', 'At least 2 announcements, at least 1 s apart, then twice as long, at most 8 (§8.3)'),
      line('M8', 'A later conflict: back to probing (§9)'),
      line('M9', 'Unique answers at once (§6)'),
      line('M10', 'Shared answers after 20–120 ms, uniformly (§6)'),
      line('M11', 'Known answers with at least half their lifetime are not given, others are (§7.1)'),
      line('M12', 'TC set: 400–500 ms for more known answers, of several hosts at once, bounded (§7.2)'),
      line('M13', 'Several questions in one packet (§6.3)'),
      line('M14', 'Answers due within 500 ms go together (§6.4)'),
      line('M15', 'A name changed by a person: goodbye to the old, the new probed for and announced (§8.4)'),
      line('M16', 'All of it again when a link comes up (§8)'),
      line('M17', 'Additional records with their answers, and none twice (RFC 6763 §12)'),
      line('M18', 'Host names of letters, digits and hyphens'),
      line('M19', 'Cache-flush on unique records only; not in probes, nor towards plain DNS (§10.2)'),
      line('M20', 'Duplicate questions and duplicate answers are not sent (§7.3, §7.4)'),
      line(
        'M21',
        'A record is multicast at most once a second on a link, 250 ms when a name is defended (§6)',
      ),
      line('M22', 'NSEC for types that a name of ours does not have (§6.1)'),
      line('M23', 'Plain DNS: id and question repeated, lifetimes of at most 10 s, unicast (§6.7)'),
      line('M24', 'Goodbye with lifetime 0, held 1 s by the cache (§10.1)'),
      line('M25', 'Lifetimes: 120 s where the host name is in the record, 4500 s otherwise (§10)'),
      line(
        'M26',
        'Packets within the MTU where they can be, never over 9000 bytes; id 0, AA, opcode and response code 0 (§17, §18)',
      ),
      line(
        'M27',
        'Querying: first after 20–120 ms, then 1 s, twice as long each time, at most an hour; renewal at 80, 85, 90 and 95% + 0–2%; services added and removed (§5.2)',
      ),
      line('M28', 'Only addresses that are valid on the interface that asks (§14)'),
      line('M29', 'Reverse pointers for our addresses; names compared without case (§4, §16)'),
      line('M30', 'Responses only from port 5353, unicast only from the link and when asked for (§6, §11)'),
      line(
        'RFC 6762 §5.4',
        'Answers to the asker alone when it asks for that and everybody else knows; a link that came up asks so',
      ),
      line('RFC 6762 §5.5', 'Queries to our address alone'),
      line('RFC 6762 §6.2', 'Addresses of both families together'),
      line('RFC 6762 §6.5', 'Type and class ANY'),
      line('RFC 6762 §6.6', 'Our record said by another host with too short a life is put right'),
      line('RFC 6762 §8.4', 'New data under an old name is announced, at most ten times a minute'),
      line('RFC 6762 §10.2', 'Cache-flush takes what is older than a second'),
      line('RFC 6762 §10.3', 'The cache follows changes of the link'),
      line('RFC 6762 §10.4', 'What could not be reached is asked for, and forgotten after 10 s of silence'),
      line('RFC 6762 §10.5', 'What others ask for in vain is forgotten'),
    ],
  },
  {
    title: 'Service discovery (RFC 6763)',
    lines: [
      line('RFC 6763 §4.1', 'A type’s pointers lead to its instances'),
      line('RFC 6763 §4.1.1', 'Instance names: 1–63 bytes of UTF-8, any character, dots too, no controls'),
      line('RFC 6763 §5', 'An instance known by name is resolved'),
      line('RFC 6763 §6', 'TXT records without a service that could be connected to'),
      line('RFC 6763 §6.1', 'Strings of at most 255 bytes; an empty record is one zero byte'),
      line('RFC 6763 §6.2', 'TXT records stay small'),
      line(
        'RFC 6763 §6.4',
        'Keys: at most 9 characters, without case, the first counts, a string without a key is ignored',
      ),
      line('RFC 6763 §6.5', 'Values are any bytes'),
      line('RFC 6763 §6.7', '`txtvers` first'),
      line('RFC 6763 §7', 'Service names as RFC 6335 has them'),
      line('RFC 6763 §7.1', 'Subtypes, also ones that change'),
      line('RFC 6763 §7.2', 'Service names of at most 15 characters'),
      line(
        'RFC 6763 §8',
        'Flagship naming: one instance name on all types of a device, reserved where a service is missing',
      ),
      line('RFC 6763 §9', '`_services._dns-sd._udp`'),
      line('RFC 6763 §12.1', 'Pointers bring SRV, TXT and addresses along'),
      line('RFC 6763 §12.2', 'SRV brings addresses along'),
      line('RFC 6763 §12.3', 'TXT brings nothing along'),
      line('RFC 6763 §12.4', 'Others bring nothing along'),
    ],
  },
];

function line(id: string, asks: string): Line {
  return { id, asks };
}
