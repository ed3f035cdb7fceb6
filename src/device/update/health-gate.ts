import { gateCrashFreeMs, gatePatienceMs } from '../../base/face-limits.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';

export interface GateInput {
  /** Since the program started. */
  readonly uptimeMs: number;
  readonly status: Pick<ApplianceStatus, 'volumes' | 'network' | 'peers'>;
  /** Another box of the pool answered before the update. */
  readonly hadPeers: boolean;
  /** A chunk was read from a disk and its hash found right; true too where there is none. */
  readonly chunkRead: boolean;
}

export type GateVerdict =
  | { readonly kind: 'good' }
  /** What it still lacks, in words; the first of several. */
  | { readonly kind: 'waiting' | 'bad'; readonly lacks: string };

/**
 * Whether a new version works (docs/updates.md): its volumes opened, a network is there, a box that was there before
 * answers, a chunk was read, and it has run for a minute. One that lacks something after ten minutes is given up.
 */
export function judge(input: GateInput): GateVerdict {
  const lacks = firstLack(input);
  if (lacks !== undefined) return { kind: input.uptimeMs >= gatePatienceMs ? 'bad' : 'waiting', lacks };
  if (input.uptimeMs < gateCrashFreeMs) return { kind: 'waiting', lacks: 'it has not run for a minute' };
  return { kind: 'good' };
}

function firstLack({ status, hadPeers, chunkRead }: GateInput): string | undefined {
  const failed = status.volumes.find(({ state }) => state === 'failed');
  if (failed !== undefined) return `disk ${failed.name} could not be opened`;
  if (!status.network.interfaces.some(({ addresses }) => addresses.length > 0)) return 'no network was up';
  if (hadPeers && !status.peers.some(({ reachable }) => reachable)) return 'no other box answered';
  if (!chunkRead) return 'nothing could be read from its disks';
  return undefined;
}
