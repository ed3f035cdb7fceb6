import { arpTarget } from './arp-target.ts';
import { consoleTarget } from './console-target.ts';
import { dnsCodecTarget } from './dns-codec-target.ts';
import { dnsQuerierTarget } from './dns-querier-target.ts';
import { dnsResponderTarget } from './dns-responder-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { groupTarget } from './group-target.ts';
import { mdnsHostTarget } from './mdns-host-target.ts';

/** Everything that takes bytes from strangers: on a LAN, and at the serial line. */
export const fuzzTargets: readonly FuzzTarget[] = [
  dnsCodecTarget,
  dnsResponderTarget,
  dnsQuerierTarget,
  mdnsHostTarget,
  arpTarget,
  groupTarget,
  consoleTarget,
];
