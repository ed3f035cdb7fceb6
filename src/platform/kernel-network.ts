import type { ArpNetwork } from '../ports/arp-network.ts';
import type { LinkTable } from '../ports/link-table.ts';
import { DescriptorEvents } from './linux/descriptor-events.ts';
import { NetlinkLinkTable } from './linux/netlink-link-table.ts';
import { PacketArpNetwork } from './linux/packet-arp-network.ts';

/** The kernel's own view of links and ARP. */
export interface KernelNetwork {
  readonly links: LinkTable;
  readonly arp: ArpNetwork;
  close(): Promise<void>;
}

/** Opens it on Linux; undefined elsewhere. Errors: `LINK_UNSUPPORTED`. */
export async function openKernelNetwork(): Promise<KernelNetwork | undefined> {
  if (process.platform !== 'linux') return undefined;
  const events = new DescriptorEvents();
  const links = await NetlinkLinkTable.open(events);
  return {
    links,
    arp: new PacketArpNetwork(events),
    close: async () => {
      await links.close();
      await events.close();
    },
  };
}
