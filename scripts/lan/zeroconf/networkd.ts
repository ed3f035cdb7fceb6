import type { LanHost } from '../network.ts';
import type { Program } from '../processes.ts';

export const networkdProgram = '/lib/systemd/systemd-networkd';

/** systemd-networkd needs a /run of its own, and a read-only /sys, so that it does not wait for udev. */
const script = `
mount -t tmpfs tmpfs /run
mount -o remount,bind,ro /sys 2>/dev/null || mount --bind -o ro /sys /sys
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /run/systemd/network
printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\nLinkLocalAddressing=%s\\nIPv6AcceptRA=no\\n' "$1" \\
  >/run/systemd/network/10-eth0.network
chown -R systemd-network:systemd-network /run/systemd/netif
exec "$0"
`;

/** The network manager of many Linux systems on one host: DHCP on eth0, and link-local addresses as told. */
export function startNetworkd(host: LanHost, linkLocal: 'ipv4' | 'no'): Program {
  return host.start('unshare', [
    '-m',
    '--propagation',
    'private',
    'sh',
    '-c',
    script,
    networkdProgram,
    linkLocal,
  ]);
}
