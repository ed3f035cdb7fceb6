import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '../../../src/base/log.ts';
import { NodeDisk } from '../../../src/platform/node-disk.ts';
import { NetworkMemory } from '../../../src/zeroconf/network-memory.ts';
import { startAutoipd } from '../avahi.ts';
import { logFileOf } from '../box-process.ts';
import type { LanHost } from '../network.ts';
import type { Program } from '../processes.ts';
import { startNetworkd } from './networkd.ts';
import { addressesOf, check, linkLocalOf, read, type Scenario, type Scene, scapy, until } from './scene.ts';

const always = ['--link-local', 'always'];
const arpFields = ['frame.time_relative', 'arp.src.proto_ipv4', 'arp.dst.proto_ipv4', 'arp.src.hw_mac'];

/** Makes a box that has never been started remember an address, as if it had had it. */
async function remember(scene: Scene, host: LanHost, name: string, address: string): Promise<void> {
  const folder = join(scene.boxFolder(host, name), 'state');
  mkdirSync(folder, { recursive: true });
  const memory = await NetworkMemory.open(new NodeDisk(folder), { log: silentLog });
  memory.rememberLinkLocal(
    Uint8Array.from(host.mac.split(':'), (byte) => Number.parseInt(byte, 16)),
    address,
  );
  await memory.settled();
}

/** `2.5 169.254.1.2` for each probe of a host in a capture. */
async function probesIn(file: string, host: LanHost): Promise<readonly (readonly [number, string])[]> {
  const filter = `arp.opcode == 1 && arp.src.proto_ipv4 == 0.0.0.0 && arp.src.hw_mac == ${host.mac}`;
  const lines = await read(file, filter, arpFields);
  return lines.map((line) => line.split('\t')).map(([at, , target]) => [Number(at), target!] as const);
}

/** What a DHCP client does with a lease, without touching anything of this machine's own. */
function leaseScript(folder: string): string {
  const file = join(folder, 'lease.sh');
  const lines = [
    '#!/bin/sh',
    'case $1 in',
    '  bound | renew) ip addr replace "$ip/24" dev "$interface" valid_lft "$lease" preferred_lft "$lease" ;;',
    '  deconfig) ip -4 addr flush dev "$interface" dynamic ;;',
    'esac',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
  return file;
}

function startDhcpServer(router: LanHost): Program {
  const range = `${router.address.replace(/\d+$/, '50')},${router.address.replace(/\d+$/, '60')},255.255.255.0,2m`;
  const words = [
    '--port=0',
    '--interface=eth0',
    '--bind-interfaces',
    '--leasefile-ro',
    `--dhcp-range=${range}`,
  ];
  return router.start('dnsmasq', ['--no-daemon', '--conf-file=/dev/null', ...words]);
}

export const addressScenarios: readonly Scenario[] = [
  {
    name: 'on a bare cable the box has an address, a name, and is found by avahi that has one by avahi-autoipd',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer'], { bare: ['alder', 'peer'] });
      const [host, peer] = [lan.host('alder'), lan.host('peer')];
      const capture = await scene.capture(host);
      const autoipd = startAutoipd(peer);
      const startedMs = performance.now();
      await scene.box(host, 'alder');
      const own = await linkLocalOf(host);
      const tookMs = performance.now() - startedMs;
      await linkLocalOf(peer);
      const avahi = await scene.avahi(peer);
      await until('avahi sees the box by its address', 15_000, async () => {
        const found = await avahi.browse('_aetherstore._tcp');
        return found.some(({ address }) => address === own) ? true : undefined;
      });
      const early = await read(capture, `mdns && ip.src == ${own} && frame.time_relative < 3`, [
        'frame.number',
      ]);
      check(early.length === 0, 'multicast DNS was spoken before there was an address');
      const narrow = await read(
        capture,
        `arp.src.hw_mac == ${host.mac} && arp.opcode == 1 && eth.dst != ff:ff:ff:ff:ff:ff && arp.src.proto_ipv4 == 0.0.0.0`,
        ['frame.number'],
      );
      check(narrow.length === 0, 'a probe was not broadcast');
      await autoipd.stop();
      return `${own} ${(tookMs / 1000).toFixed(1)} s after start: 5 s for DHCP, then RFC 3927’s 4 to 7 s`;
    },
  },
  {
    name: 'an address that avahi-autoipd has is left to it',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer'], { bare: ['alder', 'peer'] });
      const [host, peer] = [lan.host('alder'), lan.host('peer')];
      await scene.capture(host);
      const autoipd = startAutoipd(peer, ['--start=169.254.77.7']);
      check((await linkLocalOf(peer)) === '169.254.77.7', 'avahi-autoipd has the address it was told');
      await remember(scene, host, 'alder', '169.254.77.7');
      await scene.box(host, 'alder', always);
      const own = await linkLocalOf(host);
      check(own !== '169.254.77.7', 'the box took an address that somebody has');
      check((await addressesOf(peer)).includes('169.254.77.7'), 'avahi-autoipd has kept its address');
      await autoipd.stop();
      return `the box has ${own}`;
    },
  },
  {
    name: 'an address that the box has is kept from avahi-autoipd',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer'], { bare: ['alder', 'peer'] });
      const [host, peer] = [lan.host('alder'), lan.host('peer')];
      await scene.capture(host);
      await scene.box(host, 'alder', always);
      const own = await linkLocalOf(host);
      const autoipd = startAutoipd(peer, [`--start=${own}`]);
      const other = await linkLocalOf(peer);
      check(other !== own, 'both have one address');
      check((await addressesOf(host)).includes(own), 'the box has lost its address');
      await autoipd.stop();
      return `${own} for the box, ${other} for avahi-autoipd`;
    },
  },
  {
    name: 'one claim to its address is answered, a second within ten seconds makes the box take another',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'rival'], { bare: ['alder', 'rival'] });
      const [host, rival] = [lan.host('alder'), lan.host('rival')];
      const capture = await scene.capture(host);
      await scene.box(host, 'alder', always);
      const own = await linkLocalOf(host);
      await delay(2500);
      const before = (await read(capture, `arp.src.proto_ipv4 == ${own}`, ['frame.number'])).length;
      await (await scapy(rival, 'claim-address.py', [own, '1'])).exited;
      check((await addressesOf(host)).includes(own), 'it gave up at once');
      const defence = `arp.src.proto_ipv4 == ${own} && arp.src.hw_mac == ${host.mac}`;
      const after = (await read(capture, defence, ['frame.number'])).length;
      check(after > before, 'it did not defend itself');
      await (await scapy(rival, 'claim-address.py', [own, '2'])).exited;
      const other = await until('it has another address', 15_000, async () =>
        (await addressesOf(host)).find((address) => address !== own),
      );
      return `${own}, then ${other}`;
    },
  },
  {
    name: 'a host that denies every probe sees eleven addresses soon, and then one a minute',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'denier'], { bare: ['alder', 'denier'] });
      const host = lan.host('alder');
      const capture = await scene.capture(host);
      const denier = scapy(lan.host('denier'), 'deny-probes.py', ['110']);
      await denier.firstLine((line) => (line === 'ready' ? line : undefined), 20_000);
      await scene.box(host, 'alder', always);
      await delay(85_000);
      check((await addressesOf(host)).length === 0, 'it took an address that was denied');
      const probes = await probesIn(capture, host);
      const addresses = [...new Set(probes.map(([, address]) => address))];
      const firstOf = (address: string) => probes.find(([, other]) => other === address)![0];
      check(addresses.length === 12, `${addresses.length} addresses in 85 s`);
      const eleventh = firstOf(addresses[10]!);
      const waited = firstOf(addresses[11]!) - eleventh;
      check(waited >= 60, `the twelfth came ${waited.toFixed(1)} s after the eleventh`);
      await denier.stop();
      return `eleven within ${(eleventh - firstOf(addresses[0]!)).toFixed(1)} s, the twelfth ${waited.toFixed(1)} s later`;
    },
  },
  {
    name: 'cable out: the address goes; cable in: it is asked for first, and is back',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer'], { bare: ['alder', 'peer'] });
      const host = lan.host('alder');
      const capture = await scene.capture(host);
      await scene.box(host, 'alder');
      const own = await linkLocalOf(host);
      await delay(2500);
      const before = (await probesIn(capture, host)).length;
      host.cut();
      await until('the address is gone', 2000, async () =>
        (await addressesOf(host)).length === 0 ? true : undefined,
      );
      host.heal();
      check((await linkLocalOf(host)) === own, 'it has another address');
      const probes = (await probesIn(capture, host)).slice(before);
      check(probes.length === 3 && probes.every(([, address]) => address === own), JSON.stringify(probes));
      return `${own}, after ${probes.length} probes for it`;
    },
  },
  {
    name: 'DHCP comes: its address alone is announced, ours goes after a minute; DHCP goes: ours is back',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'router'], { bare: ['alder'] });
      const [host, router] = [lan.host('alder'), lan.host('router')];
      await scene.capture(host);
      await scene.box(host, 'alder');
      const own = await linkLocalOf(host);
      const dhcp = startDhcpServer(router);
      const script = leaseScript(scene.boxFolder(host, 'alder'));
      const client = host.start('udhcpc', ['-f', '-i', 'eth0', '-s', script, '-t', '5', '-T', '1']);
      const leased = await until('there is a lease', 15_000, async () =>
        (await addressesOf(host)).find((address) => !address.startsWith('169.254.')),
      );
      const avahi = await scene.avahi(router);
      await until('avahi sees the leased address', 15_000, async () => {
        const { stdout } = await avahi.run('avahi-resolve', ['-4', '-n', 'alder.local']);
        return stdout.includes(leased) ? true : undefined;
      });
      check((await addressesOf(host)).includes(own), 'connections to the old address had no time to end');
      const goneMs = await until('ours is gone', 65_000, async () =>
        (await addressesOf(host)).includes(own) ? undefined : performance.now(),
      );
      await dhcp.stop();
      await client.stop();
      await host.run('ip', ['-4', 'addr', 'flush', 'dev', 'eth0', 'dynamic']);
      check((await linkLocalOf(host)) === own, 'it has another address than before');
      return `${leased} in place of ${own}, and back ${((performance.now() - goneMs) / 1000).toFixed(1)} s later`;
    },
  },
  {
    name: 'next to systemd-networkd: its own link-local address is used as it is, and none of ours is added',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'peer'], { bare: ['alder', 'peer'] });
      const host = lan.host('alder');
      await scene.capture(host);
      const networkd = startNetworkd(host, 'ipv4');
      await scene.box(host, 'alder', ['--link-local', 'fallback']);
      const own = await linkLocalOf(host, 30_000);
      await delay(15_000);
      const now = await addressesOf(host);
      check(now.length === 1 && now[0] === own, `there are ${now.join(', ')}`);
      await networkd.stop();
      return own;
    },
  },
  {
    name: 'next to systemd-networkd that asks for DHCP in vain the box has an address, until a server comes',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'router'], { bare: ['alder'] });
      const host = lan.host('alder');
      await scene.capture(host);
      const networkd = startNetworkd(host, 'no');
      await scene.box(host, 'alder');
      const own = await linkLocalOf(host, 30_000);
      await delay(5000);
      check((await addressesOf(host)).includes(own), 'networkd took it away');
      const dhcp = startDhcpServer(lan.host('router'));
      const leased = await until('networkd has a lease', 90_000, async () =>
        (await addressesOf(host)).find((address) => !address.startsWith('169.254.')),
      );
      check((await addressesOf(host)).includes(own), 'connections had no time to end');
      await dhcp.stop();
      await networkd.stop();
      return `${own}, then ${leased}`;
    },
  },
  {
    name: 'CAP_NET_RAW and CAP_NET_ADMIN are all it takes; without them the box says so and goes on',
    play: async (scene) => {
      const lan = scene.lan(['alder', 'birch', 'peer'], { bare: ['alder', 'birch'] });
      const [able, unable] = [lan.host('alder'), lan.host('birch')];
      await scene.capture(able);
      const avahi = await scene.avahi(lan.host('peer'));
      const [, refused] = await Promise.all([
        scene.boxOfNobody(able, 'alder', ['net_raw', 'net_admin'], always),
        scene.boxOfNobody(unable, 'birch', [], always),
      ]);
      const own = await linkLocalOf(able);
      const log = readFileSync(logFileOf(refused.options.folder), 'utf8');
      check(log.includes('no link-local address here'), `the log says nothing of it:\n${log}`);
      check((await addressesOf(unable)).length === 0, 'it has an address all the same');
      await until('both are announced, on IPv6 the one without', 10_000, async () => {
        const found = (await avahi.browse('_aetherstore._tcp')).map(({ instance }) => instance);
        return found.includes('alder') && found.includes('birch') ? true : undefined;
      });
      return `${own} with them; announced on IPv6 without`;
    },
  },
];
