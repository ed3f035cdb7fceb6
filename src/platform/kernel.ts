import type { ArpNetwork } from '../ports/arp-network.ts';
import type { LinkTable } from '../ports/link-table.ts';
import type { DiskShelf, Machine } from '../ports/machine.ts';
import { DescriptorEvents } from './linux/descriptor-events.ts';
import { type DiskTools, ownDiskTools } from './linux/disk-tools.ts';
import { LinuxDiskShelf } from './linux/linux-disk-shelf.ts';
import { LinuxMachine } from './linux/linux-machine.ts';
import { NetlinkLinkTable } from './linux/netlink-link-table.ts';
import { PacketArpNetwork } from './linux/packet-arp-network.ts';

/** The kernel's own view of links, ARP, the computer and its disks. One thread waits for all its notices. */
export interface Kernel {
  readonly links: LinkTable;
  readonly arp: ArpNetwork;
  readonly machine: Machine;
  readonly shelf: DiskShelf;
  close(): Promise<void>;
}

/** Opens it on Linux; undefined elsewhere. Errors: `LINK_UNSUPPORTED`, `DISK_EVENTS_UNSUPPORTED`. */
/** `recordsFolder`: where the box keeps its records, of which the computer tells whether it can be written. */
export async function openKernel(
  tools: DiskTools = ownDiskTools,
  recordsFolder?: string,
): Promise<Kernel | undefined> {
  if (process.platform !== 'linux') return undefined;
  const events = new DescriptorEvents();
  const links = await NetlinkLinkTable.open(events);
  const shelf = new LinuxDiskShelf(events, tools);
  return {
    links,
    arp: new PacketArpNetwork(events),
    machine: new LinuxMachine({ recordsFolder }),
    shelf,
    close: async () => {
      await shelf.close();
      await links.close();
      await events.close();
    },
  };
}
