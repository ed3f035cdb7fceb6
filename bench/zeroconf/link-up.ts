import { Lan, type LanHost } from '../../scripts/lan/network.ts';
import { type Figure, milliseconds } from './figure.ts';
import { median, startChild } from './hosts.ts';

/** What we may take ourselves; the rest is the RFC's random wait. */
const ownMs = 300;
const arpWaitMs = 1000;
const mdnsWaitMs = 250;

/** Cable in to the first probe on the wire: ARP for a link-local address, multicast DNS for the names. */
export async function measureLinkUp(
  rounds: number,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const lan = Lan.create(['bare', 'named'], { bare: ['bare'] });
  const arp = await startChild(lan.host('bare'), 'our-child.ts', ['link-local']);
  const mdns = await startChild(lan.host('named'), 'our-child.ts', ['advertise', 'named']);
  await new Promise((resolve) => setTimeout(resolve, 9000));
  const arpMs: number[] = [];
  const mdnsMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`link-up to first probe: ${round + 1} of ${rounds}`);
    const [probe, query] = await Promise.all([
      firstAfterHeal(lan.host('bare'), 'arp'),
      firstAfterHeal(lan.host('named'), 'udp port 5353 and dst host 224.0.0.251'),
    ]);
    arpMs.push(probe);
    mdnsMs.push(query);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  await arp.program.stop();
  await mdns.program.stop();
  lan.close();
  return [
    figure('cable in to first ARP probe', arpMs, arpWaitMs),
    figure('cable in to first multicast DNS probe', mdnsMs, mdnsWaitMs),
  ];
}

function figure(what: string, times: readonly number[], waitMs: number): Figure {
  const [least, most] = [Math.min(...times), Math.max(...times)];
  return {
    what: `${what}, median of ${times.length}`,
    ours: `${milliseconds(median(times))} (${least.toFixed(0)}–${most.toFixed(0)})`,
    peers: {},
    asked: `≤ ${ownMs} ms plus the RFC’s wait of 0–${waitMs} ms`,
    met: most <= ownMs + waitMs && median(times) <= ownMs + waitMs / 2,
  };
}

/** Pulls the cable, plugs it in, and gives the time until the host sends what the filter describes. */
async function firstAfterHeal(host: LanHost, filter: string): Promise<number> {
  host.cut();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const words = ['-i', 'eth0', '-n', '-tt', '-l', '--immediate-mode', '-Q', 'out', filter];
  const capture = host.start('sh', ['-c', 'exec tcpdump "$@" 2>&1', 'tcpdump', ...words]);
  await capture.firstLine((line) => (line.includes('listening on') ? line : undefined), 10_000);
  host.heal();
  const pluggedMs = performance.timeOrigin + performance.now();
  const sentMs = await capture.firstLine((line) => {
    const seconds = /^(\d+\.\d+) /.exec(line)?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  }, 10_000);
  await capture.stop();
  return sentMs - pluggedMs;
}
