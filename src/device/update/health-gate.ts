import { gateCrashFreeMs, gatePatienceMs } from '../../base/face-limits.ts';
import { volumesMax } from '../../base/limits.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';

export interface GateInput {
  /** Since the program started. */
  readonly uptimeMs: number;
  readonly status: Pick<ApplianceStatus, 'volumes' | 'network' | 'peers'>;
  /** Another box of the pool answered before the update. */
  readonly hadPeers: boolean;
  /** How the box was before the update; null: nobody knows, and all is asked of it. */
  readonly before: BoxBefore | null;
  /** A chunk was read from a disk and its hash found right; true too where there is none. */
  readonly chunkRead: boolean;
}

/** What a box lacked before an update is no fault of the new version. */
export interface BoxBefore {
  /** Names of the volumes that had failed. */
  readonly failedVolumes: readonly string[];
  readonly network: boolean;
  /** Chunks could be read from its disks. */
  readonly readsWell: boolean;
}

export type GateVerdict =
  | { readonly kind: 'good' }
  /** What it still lacks, in words; the first of several. */
  | { readonly kind: 'waiting' | 'bad'; readonly lacks: string };

/** What will be known later of a box that begins to install an update. */
export function boxBefore(
  status: Pick<GateInput['status'], 'volumes' | 'network'>,
  readsWell: boolean,
): BoxBefore {
  const failed = status.volumes.filter(({ state }) => state === 'failed').slice(0, volumesMax);
  return { failedVolumes: failed.map(({ name }) => name), network: hasNetwork(status), readsWell };
}

/**
 * Whether a new version works (docs/updates.md): its volumes opened, a network is there, a box that was there before
 * answers, a chunk was read, and it has run for a minute. One that lacks something after ten minutes is given up, unless
 * the box lacked it before.
 */
export function judge(input: GateInput): GateVerdict {
  const lacks = firstLack(input);
  if (lacks !== undefined) return { kind: input.uptimeMs >= gatePatienceMs ? 'bad' : 'waiting', lacks };
  if (input.uptimeMs < gateCrashFreeMs) return { kind: 'waiting', lacks: 'it has not run for a minute' };
  return { kind: 'good' };
}

function firstLack({ status, hadPeers, before, chunkRead }: GateInput): string | undefined {
  const { failedVolumes, network, readsWell } = before ?? allWell;
  const failed = status.volumes.find(
    ({ state, name }) => state === 'failed' && !failedVolumes.includes(name),
  );
  if (failed !== undefined) return `disk ${failed.name} could not be opened`;
  if (network && !hasNetwork(status)) return 'no network was up';
  if (hadPeers && !status.peers.some(({ reachable }) => reachable)) return 'no other box answered';
  if (readsWell && !chunkRead) return 'nothing could be read from its disks';
  return undefined;
}

const allWell: BoxBefore = { failedVolumes: [], network: true, readsWell: true };

function hasNetwork({ network }: Pick<GateInput['status'], 'network'>): boolean {
  return network.interfaces.some(({ addresses }) => addresses.length > 0);
}
