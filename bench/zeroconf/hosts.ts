import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Avahi } from '../../scripts/lan/avahi.ts';
import type { LanHost } from '../../scripts/lan/network.ts';
import type { Program } from '../../scripts/lan/processes.ts';

export const serviceType = '_aetherstore._tcp';

/** A node program of this folder on a host, and when it began its own work (by this process's clock). */
export async function startChild(
  host: LanHost,
  file: 'our-child.ts' | 'ciao-child.ts',
  words: readonly string[],
): Promise<{ readonly program: Program; readonly execMs: number; readonly startedMs: number }> {
  const execMs = performance.now();
  const argv = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, file), ...words];
  const program = host.start(process.execPath, argv);
  await program.firstLine((line) => (line === 'starting' ? line : undefined), 20_000);
  return { program, execMs, startedMs: performance.now() };
}

/** Resolves with the time at which a running `avahi-browse -p` tells of an instance. */
export function seen(browser: Program, instance: string): Promise<number> {
  return browser.firstLine(
    (line) => (line.startsWith(`+;eth0;IPv4;${instance};`) ? performance.now() : undefined),
    15_000,
  );
}

export async function browse(avahi: Avahi): Promise<Program> {
  return avahi.start('avahi-browse', ['-p', serviceType]);
}

/** Memory that a process has to itself, and its share of what it has with others, in bytes. */
export function memoryOf(pid: number): number {
  const [, kibibytes = '0'] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
