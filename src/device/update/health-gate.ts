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
  /** Names of volumes of which no chunk could be read; undefined: that could not be found out. */
  readonly unreadable: readonly string[] | undefined;
}

/** What a box lacked before an update is no fault of the new version. */
export interface BoxBefore {
  /** Names of the volumes that were opened and there. */
  readonly servedVolumes: readonly string[];
  /** Names of those of which no chunk could be read. */
  readonly unreadableVolumes: readonly string[];
  readonly network: boolean;
}

export type GateVerdict =
  | { readonly kind: 'good' }
  /** What it still lacks, in words; the first of several. */
  | { readonly kind: 'waiting' | 'bad'; readonly lacks: string };

/** What will be known later of a box that begins to install an update. */
export function boxBefore(
  status: Pick<GateInput['status'], 'volumes' | 'network'>,
  unreadable: GateInput['unreadable'],
): BoxBefore {
  const served = status.volumes
    .filter(({ state }) => state !== 'failed' && state !== 'missing' && state !== 'retired')
    .map(({ name }) => name)
    .slice(0, volumesMax);
  return { servedVolumes: served, unreadableVolumes: unreadable ?? served, network: hasNetwork(status) };
}

/**
 * Whether a new version works (docs/updates.md): the volumes are there that were there before, a network is, a box that was
 * there before answers, a chunk of each volume was read, and it has run for a minute. One that lacks something after ten
 * minutes is given up, unless the box lacked it before.
 */
export function judge(input: GateInput): GateVerdict {
  const lacks = firstLack(input);
  if (lacks !== undefined) return { kind: input.uptimeMs >= gatePatienceMs ? 'bad' : 'waiting', lacks };
  if (input.uptimeMs < gateCrashFreeMs) return { kind: 'waiting', lacks: 'it has not run for a minute' };
  return { kind: 'good' };
}

function firstLack({ status, hadPeers, before, unreadable }: GateInput): string | undefined {
  const volume = lostVolume(status, before);
  if (volume !== undefined) return volume;
  if ((before?.network ?? true) && !hasNetwork(status)) return 'no network was up';
  if (hadPeers && !status.peers.some(({ reachable }) => reachable)) return 'no other box answered';
  if (unreadable === undefined) return 'nobody could say whether its disks can be read';
  const unread = unreadable.find((name) => before?.unreadableVolumes.includes(name) !== true);
  return unread === undefined ? undefined : `nothing could be read from disk ${unread}`;
}

/** Of one that is not there nobody can say whether it was pulled, or the new version cannot find it. */
function lostVolume({ volumes }: GateInput['status'], before: BoxBefore | null): string | undefined {
  const stateOf = (name: string) => volumes.find((volume) => volume.name === name)?.state ?? 'missing';
  const failed = volumes.filter(({ state }) => state === 'failed').map(({ name }) => name);
  for (const name of before?.servedVolumes ?? failed) {
    if (stateOf(name) === 'failed') return `disk ${name} could not be opened`;
    if (stateOf(name) === 'missing') return `disk ${name} was not found`;
  }
  return undefined;
}

function hasNetwork({ network }: Pick<GateInput['status'], 'network'>): boolean {
  return network.interfaces.some(({ addresses }) => addresses.length > 0);
}
