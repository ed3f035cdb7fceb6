import { startAutoipd } from '../../scripts/lan/avahi.ts';
import { Lan, type LanHost } from '../../scripts/lan/network.ts';
import { type Figure, seconds } from './figure.ts';
import { mean, median, startChild } from './hosts.ts';

/** RFC 3927 §2.2.1, §9: a wait of 0–1 s, two distances of 1–2 s, and 2 s for the last probe's answers. */
const meanByRfcSeconds = 0.5 + 2 * 1.5 + 2;
const meanTolerance = 0.05;
/** They wait nearly all the time, so many can at once. */
const hostsAtOnce = 12;

/** Start to a link-local address on a bare cable, as the kernel tells of it. */
export async function measureLinkLocal(
  runs: number,
  progress: (text: string) => void,
): Promise<readonly Figure[]> {
  const ours: number[] = [];
  const avahi: number[] = [];
  while (ours.length < runs) {
    progress(`start to link-local address: ${ours.length} of ${runs}`);
    const names = Array.from({ length: hostsAtOnce }, (_, index) => `h${index}`);
    const lan = Lan.create(names, { bare: names });
    const half = hostsAtOnce / 2;
    // Programs start one after the other: what is measured is waiting, not who gets a processor.
    const measured: Promise<void>[] = [];
    for (const [index, host] of lan.hosts.entries()) {
      const appeared = await addressAppears(host);
      if (index < half) {
        const { startedMs } = await startChild(host, 'our-child.ts', ['link-local']);
        measured.push(appeared.atMs.then((atMs) => void ours.push((atMs - startedMs) / 1000)));
      } else {
        const startedMs = performance.now();
        startAutoipd(host);
        measured.push(appeared.atMs.then((atMs) => void avahi.push((atMs - startedMs) / 1000)));
      }
    }
    await Promise.all(measured);
    lan.close();
  }
  const distance = Math.abs(mean(ours) / meanByRfcSeconds - 1);
  return [
    {
      what: `start to link-local address, median of ${ours.length}`,
      ours: seconds(median(ours)),
      peers: { 'avahi-autoipd': seconds(median(avahi)) },
      asked: '≤ avahi-autoipd',
      met: median(ours) <= median(avahi),
    },
    {
      what: 'start to link-local address, mean',
      ours: `${seconds(mean(ours))}, ${(distance * 100).toFixed(1)}% off`,
      peers: { 'avahi-autoipd': seconds(mean(avahi)) },
      asked: `within 5% of the RFC’s ${meanByRfcSeconds} s`,
      met: distance <= meanTolerance,
    },
  ];
}

/** Watches from now on; what it gives resolves with the time at which the address is there. */
async function addressAppears(host: LanHost): Promise<{ readonly atMs: Promise<number> }> {
  const monitor = host.start('ip', ['-4', '-o', 'monitor', 'address']);
  // It says nothing when it is ready, and it is within milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const atMs = monitor.firstLine(
    (line) => (line.includes('169.254.') ? performance.now() : undefined),
    30_000,
  );
  return { atMs };
}
