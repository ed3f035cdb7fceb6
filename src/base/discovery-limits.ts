/** Bounds of addresses, names and groups: of what anybody on the network may cost who has proved nothing. */

/** One label and one name of DNS in bytes on the wire, and what that leaves for labels (RFC 1035 §2.3.4). */
export const dnsLabelBytesMax = 63;
export const dnsNameBytesMax = 255;
export const dnsLabelsMax = 127;

/** A multicast DNS message, headers of IP and UDP not counted (RFC 6762 §17: 9000 bytes with them). */
export const dnsMessageBytesMax = 8952;

/** Questions and records of one message: more than fit into 9000 bytes by any honest sender. */
export const dnsRecordsMax = 1024;

/** Types that one NSEC record names: more than are in use. A stranger's 65,536 would take half a megabyte to remember. */
export const dnsNsecTypesMax = 256;

/** What we send at once, so that IPv6 over Ethernet never fragments it: 1500 less 40 and 8, with room for a VLAN tag. */
export const mdnsPacketBytesMax = 1440;

/** Records a browser keeps for one link: 256 instances with PTR, SRV, TXT and two addresses each. */
export const mdnsCacheRecordsMax = 1280;

/** Records of one name and type: pointers to as many instances as are followed. */
export const mdnsCacheSetRecordsMax = 256;

/**
 * A TXT record that a browser keeps: RFC 6763 §6.2 asks for at most 1300 bytes. Its strings take some 200 bytes each
 * in memory, however short they are; a cache full of records of 9000 would be gigabytes.
 */
export const mdnsCacheTextBytesMax = 1300;
export const mdnsCacheTextStringsMax = 64;

/** Addresses of one family and link that a found service has: 256 services on one host of 256 would be 65,536. */
export const foundAddressesMax = 16;

/** Service types that a browser of every type follows on one link. */
export const mdnsTypesMax = 64;

/** Hosts that a browser remembers to have heard, for people to look at. */
export const mdnsHeardHostsMax = 64;

/** Questions in one query: with names as people choose them, they fit one packet. */
export const mdnsQuestionsPerQueryMax = 24;

/** Instances, and hosts, that a browser asks about on one link; a stranger's thousand pointers make no more questions. */
export const mdnsInstancesMax = 256;

/** Longest lifetime a browser believes a record: a day, as a resolver would (RFC 6762 §10 recommends 75 minutes). */
export const mdnsCacheTtlSecondsMax = 86_400;

/** Queries that wait for more known answers of the same sender (RFC 6762 §7.2); when more do, the oldest is answered. */
export const mdnsTruncatedQueriesMax = 32;

/** Askers who wait for a reply of their own (RFC 6762 §5.4); when more do, the oldest asks again. */
export const mdnsUnicastRepliesMax = 32;

/** Replies to single askers within a second on one link; what is asked beyond is multicast, or not answered. */
export const mdnsUnicastRepliesPerSecondMax = 50;

/** Own packets remembered so that their copies, which the network loops back, are recognised. */
export const mdnsSentPacketsMax = 64;

/** How long the kernel may take to answer; it does so before the call returns, so longer means never. */
export const linkAnswerMsMax = 5000;

/** Hosts heard that a box tells of: what fits a console. */
export const networkHostsShownMax = 16;

/** What a second opinion on a scan may print: some hundred services; the rest of a flood is left unread. */
export const crossCheckOutputBytesMax = 256 * 1024;

/** Interfaces that link-local addresses are claimed on: each has a socket; a computer with more is no appliance. */
export const linkLocalInterfacesMax = 16;

/** Interfaces whose link-local address is remembered: more than a computer has, fewer than a hot-plugged one makes. */
export const rememberedLinksMax = 32;

/** A TXT record of ours: with SRV and addresses it still fits one packet (RFC 6763 §6.2). */
export const txtRecordBytesMax = 900;

/** Groups derived for a pool before one must be free: one candidate in 250 is some well-known group's neighbour. */
export const groupCandidatesMax = 64;

/** A packet of the group channel, UDP payload: never fragmented on any link of IPv6 (1280 less 40 and 8), with room. */
export const groupPacketBytesMax = 1200;

/**
 * Packets of the group channel that are looked at with a key, of one member and of all together: a member says four
 * things a second at most, and a pool of 256 boxes fifty heartbeats a second; a look costs 25 to 100 µs of a desktop.
 */
export const groupMemberPackets = { perSecond: 8, burst: 32 } as const;
export const groupPackets = { perSecond: 128, burst: 256 } as const;

/** A box says its heartbeat once in this time, at random, and nothing sooner than the gap after its last words. */
export const groupHeartbeatMs = { least: 4000, span: 2000 } as const;
export const groupSendGapMs = 250;

/** Change hints that many boxes have reason for at once (a new member) are spread over this time. */
export const groupHintSpreadMs = 100;

/** After so long without a word of anybody the groups are joined again: a switch may have forgotten us. */
export const groupSilenceMs = 60_000;

/** What a box pushes arrives within this of its hint, as a rule; only what has not is asked for. */
export const groupHintGraceMs = 300;
