import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import { type Bytes, concat, utf8, viewOf } from '../../base/bytes.ts';
import { groupCandidatesMax } from '../../base/discovery-limits.ts';
import { addressBytes, formatIpv4, formatIpv6, samePrefix } from '../../base/ip-address.ts';

/** UDP; the number that boxes also listen on for members. */
export const groupPort = 4270;

/** The groups of one pool, textual. */
export interface GroupAddresses {
  /** From 239.255.0.0/16, the IPv4 Local Scope (RFC 2365 §6.1). */
  readonly ipv4: string;
  /** From ff05::/16, site-local scope (RFC 4291 §2.7). */
  readonly ipv6: string;
}

interface GroupBlock {
  readonly group: string;
  readonly prefixLength: number;
  readonly what: string;
  readonly source: string;
}

const ipv4Registry = 'IANA IPv4 Multicast Address Space Registry';
const ipv6Registry = 'IANA IPv6 Multicast Address Space Registry';

/**
 * Groups whose Ethernet addresses ours must not have: an interface, and a switch that snoops, tells groups apart by
 * these alone, so each would hear the other's traffic, and a switch floods what it takes for link-local.
 */
const wellKnownGroups: readonly GroupBlock[] = [
  {
    group: '224.0.0.0',
    prefixLength: 24,
    what: 'Local Network Control Block: all hosts, IGMP, VRRP, mDNS (.251), LLMNR (.252)',
    source: `${ipv4Registry}; RFC 5771 §4; never pruned by a switch, RFC 4541 §2.1.2`,
  },
  {
    group: '224.0.1.0',
    prefixLength: 24,
    what: 'Internetwork Control Block: NTP (.1), SLP (.22), SIP (.75), PTP (.129 to .132), CoAP (.187)',
    source: `${ipv4Registry}; RFC 5771 §5`,
  },
  { group: '224.0.23.12', prefixLength: 32, what: 'KNXnet/IP', source: ipv4Registry },
  { group: '224.2.127.254', prefixLength: 32, what: 'SAP', source: `${ipv4Registry}; RFC 2974 §3` },
  { group: '239.255.2.2', prefixLength: 32, what: 'rasadv', source: ipv4Registry },
  {
    group: '239.255.255.0',
    prefixLength: 24,
    what: 'Scope-relative groups: SSDP and WS-Discovery (.250), SLPv2 (.253), MADCAP (.254), SAP (.255)',
    source: `${ipv4Registry}; RFC 2365 §9`,
  },
  {
    group: '239.255.0.1',
    prefixLength: 32,
    what: 'DDS discovery, which every robot of ROS 2 speaks',
    source: 'OMG DDSI-RTPS 2.5 §9.6.2; in no registry',
  },
  {
    group: 'ff02::',
    prefixLength: 112,
    what: 'All nodes (::1), routers (::2), SSDP and WS-Discovery (::c), MLDv2 (::16), mDNS (::fb), NTP (::101)',
    source: `${ipv6Registry}; RFC 4291 §2.7.1`,
  },
  {
    group: 'ff02::1:0',
    prefixLength: 112,
    what: 'DHCPv6 (::1:2, and ff05::1:3), LLMNR (::1:3)',
    source: `${ipv6Registry}; RFC 8415 §7.1; RFC 4795 §2`,
  },
  {
    group: 'ff02::1:ff00:0',
    prefixLength: 104,
    what: 'Solicited-node groups, one for each address of each neighbour',
    source: `${ipv6Registry}; RFC 4291 §2.7.1`,
  },
];

/**
 * The groups that the members of a pool meet in. They tell nobody more of the pool than its id does, and so no more
 * than its boxes tell whoever connects. Two pools may share a group: their packets are sealed under other keys.
 */
export function groupAddressesOf(pool: Bytes): GroupAddresses {
  return {
    ipv4: firstFree(pool, 'ipv4', (digest) =>
      formatIpv4(concat([new Uint8Array([239, 255]), digest.subarray(0, 2)])),
    ),
    ipv6: firstFree(pool, 'ipv6', (digest) => {
      const address = new Uint8Array(16);
      address.set([0xff, 0x05]);
      address.set(digest.subarray(0, 4), 12);
      // RFC 3307 §4.3: group ids with the first bit set are nobody's for good.
      address[12]! |= 0x80;
      return formatIpv6(address);
    }),
  };
}

/** Where frames to a group go: 01-00-5E and 23 bits (RFC 1112 §6.4), or 33-33 and 32 bits (RFC 2464 §7). */
export function ethernetAddressOf(group: string): string {
  return [...ethernetBytesOf(group)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function firstFree(pool: Bytes, family: string, groupFrom: (digest: Bytes) => string): string {
  for (let candidate = 0; candidate < groupCandidatesMax; candidate++) {
    const message = concat([utf8(`aetherstore group v1 ${family} ${candidate} `), pool]);
    const group = groupFrom(new Uint8Array(hash('sha256', message, 'buffer')));
    if (!isTaken(group)) return group;
  }
  // One candidate in 250 is taken.
  assert(false, 'a group is free');
}

function isTaken(group: string): boolean {
  const ethernet = ethernetBytesOf(group);
  return wellKnownGroups.some((block) => {
    const hostBits = (block.group.includes(':') ? 128 : 32) - block.prefixLength;
    return samePrefix(ethernet, ethernetBytesOf(block.group), 48 - hostBits);
  });
}

function ethernetBytesOf(group: string): Bytes {
  const address = addressBytes(group);
  assert(address !== undefined, 'a group is an address');
  const ethernet = new Uint8Array(6);
  if (address.length === 4) {
    ethernet.set([0x01, 0x00, 0x5e]);
    ethernet.set(address.subarray(1), 3);
    ethernet[3]! &= 0x7f;
  } else {
    viewOf(ethernet).setUint16(0, 0x3333);
    ethernet.set(address.subarray(12), 2);
  }
  return ethernet;
}
