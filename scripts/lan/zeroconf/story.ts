import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoAvahi } from '../avahi.ts';
import { whyNoLan } from '../network.ts';
import { addressScenarios } from './addresses.ts';
import { nameScenarios } from './names.ts';
import { networkdProgram } from './networkd.ts';
import { type Scenario, Scene } from './scene.ts';

/** Those that wait longest first, so that the others fit beside them. */
export const scenarios: readonly Scenario[] = [...addressScenarios].reverse().concat(nameScenarios);

/** Scenarios mostly wait; more at once would make their programs wait for the processors too. */
const atOnce = 3;

const needed = {
  'avahi-autoipd': 'avahi-autoipd',
  dnsmasq: 'dnsmasq-base',
  nmap: 'nmap',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
  udhcpc: 'udhcpc',
  [networkdProgram]: 'systemd',
  '/usr/lib/python3/dist-packages/scapy/__init__.py': 'python3-scapy',
};

/** Why there can be no such network here, or undefined. */
export function whyNoZeroconf(): string | undefined {
  const path = ['/usr/sbin', '/sbin', ...(process.env.PATH ?? '').split(':')];
  const isThere = (name: string) =>
    name.startsWith('/') ? existsSync(name) : path.some((folder) => existsSync(join(folder, name)));
  const missing = Object.entries(needed).filter(([name]) => !isThere(name));
  const packages = missing.map(([, name]) => name).join(', ');
  const reason = missing.length === 0 ? undefined : `not installed (Debian packages): ${packages}`;
  return whyNoLan() ?? whyNoAvahi() ?? reason;
}

export interface PlayedScenario {
  readonly scenario: Scenario;
  readonly seconds: number;
  /** What it has to say, or why it failed. */
  readonly outcome: { readonly remark: string } | { readonly error: unknown };
}

/** Plays them all, several at once, and tells each as it ends. `choose`: only those whose names contain it. */
export async function playAll(
  folder: string,
  onPlayed: (played: PlayedScenario) => void,
  choose = '',
): Promise<void> {
  const waiting = scenarios
    .filter(({ name }) => name.includes(choose))
    .map((scenario, index) => ({ scenario, index }));
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      onPlayed(await play(next.scenario, join(folder, String(next.index))));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function play(scenario: Scenario, folder: string): Promise<PlayedScenario> {
  const startedMs = performance.now();
  const scene = new Scene(folder);
  const seconds = () => (performance.now() - startedMs) / 1000;
  try {
    const remark = await scenario.play(scene);
    await scene.close();
    return { scenario, seconds: seconds(), outcome: { remark } };
  } catch (error) {
    scene.abandon();
    return { scenario, seconds: seconds(), outcome: { error } };
  }
}
