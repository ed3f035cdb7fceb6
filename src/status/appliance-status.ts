import { countOf } from '../base/format.ts';
import type { Condition, Severity } from './condition.ts';
import { conditionsOf } from './conditions.ts';
import type {
  ApplianceFacts,
  BoxFacts,
  CopyFacts,
  DiskFacts,
  HardwareFacts,
  MulticastFacts,
  NetworkFacts,
  PairingFacts,
  PeerFacts,
  PoolFacts,
  UpdateFacts,
  VolumeFacts,
  WorkFacts,
} from './facts.ts';
import { type LightState, lightStateOf } from './light-state.ts';

/**
 * The one value that every face renders: lights, console, page, `aether status`. Plain data without undefined and
 * without anything secret, so that it goes through CBOR and JSON as it is.
 */
export interface ApplianceStatus {
  readonly v: 1;
  /** The severity of the worst condition. */
  readonly worst: Severity;
  /** How the box is, in one sentence. */
  readonly headline: string;
  /** What a person can do about the worst condition; empty when nothing is to be done. */
  readonly help: string;
  readonly light: LightState;
  /** Worst first. */
  readonly conditions: readonly Condition[];
  readonly box: BoxFacts;
  readonly pool: PoolStatus | null;
  /** Of this box's disks that work, in bytes of stored (sealed) data. */
  readonly capacity: CapacityStatus;
  readonly volumes: readonly VolumeFacts[];
  readonly peers: readonly PeerFacts[];
  readonly network: NetworkFacts;
  readonly copies: CopyFacts;
  readonly pairing: PairingFacts;
  readonly hardware: HardwareFacts;
  readonly disks: readonly DiskFacts[];
  readonly update: UpdateFacts;
  readonly work: readonly WorkStatus[];
}

export interface WorkStatus extends WorkFacts {
  /** As it went up to now; null while too little is done to tell. */
  readonly leftMs: number | null;
}

export interface PoolStatus extends PoolFacts {
  /** Boxes of the pool, this one among them, and how many of them answer. */
  readonly boxes: number;
  readonly boxesReachable: number;
}

export interface CapacityStatus {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** Folds what the parts report into what the box says of itself. Pure. */
export function foldStatus(facts: ApplianceFacts): ApplianceStatus {
  const conditions = conditionsOf(facts);
  const worst = conditions[0];
  return {
    v: 1,
    worst: worst?.severity ?? 'ok',
    headline: headlineOf(facts, worst),
    help: facts.box.phase === 'running' ? (worst?.help ?? '') : '',
    light: lightStateOf(facts, conditions),
    conditions,
    box: { ...facts.box, uptimeMs: Math.floor(facts.box.uptimeMs) },
    pool: poolStatus(facts),
    capacity: capacityOf(facts.volumes),
    volumes: facts.volumes,
    peers: facts.peers.map((peer) => ({ ...peer, lastSeenAgoMs: wholeMs(peer.lastSeenAgoMs) })),
    network: wholeNetwork(facts.network),
    copies: facts.copies,
    pairing: { ...facts.pairing, lockedForMs: wholeMs(facts.pairing.lockedForMs) },
    hardware: facts.hardware,
    disks: facts.disks,
    update: facts.update,
    work: facts.work.map(workStatus),
  };
}

/** Time left is told from a hundredth on: before that it would jump about. */
function workStatus(work: WorkFacts): WorkStatus {
  const { doneBytes, totalBytes } = work;
  const sinceMs = Math.max(0, Math.floor(work.sinceMs));
  const told = doneBytes > 0 && doneBytes * 100 >= totalBytes;
  const leftMs = told ? Math.max(0, Math.round((sinceMs * (totalBytes - doneBytes)) / doneBytes)) : null;
  return { ...work, sinceMs, leftMs };
}

/** Clocks give fractions of a millisecond; on the wire times are whole numbers. */
function wholeMs(ms: number | null): number | null {
  return ms === null ? null : Math.max(0, Math.floor(ms));
}

function wholeNetwork(network: NetworkFacts): NetworkFacts {
  const { conflicts, heard, multicast } = network;
  return {
    ...network,
    conflicts: { ...conflicts, lastAgoMs: wholeMs(conflicts.lastAgoMs) },
    heard: heard.map((host) => ({ ...host, agoMs: Math.max(0, Math.floor(host.agoMs)) })),
    multicast: multicast === null ? null : wholeMulticast(multicast),
  };
}

function wholeMulticast(multicast: MulticastFacts): MulticastFacts {
  const members = multicast.members.map((one) => ({ ...one, heardAgoMs: wholeMs(one.heardAgoMs) }));
  return { ...multicast, members };
}

function headlineOf(facts: ApplianceFacts, worst: Condition | undefined): string {
  switch (facts.box.phase) {
    case 'starting':
      return 'The box is starting.';
    case 'updating':
      return 'The box is updating itself: do not unplug it.';
    case 'stopping':
      return 'The box is stopping: do not unplug it yet.';
    case 'stopped':
      return 'The box has stopped: it is safe to unplug.';
    case 'running':
    case 'safe':
      return worst?.message ?? healthyHeadline(facts);
  }
}

function healthyHeadline(facts: ApplianceFacts): string {
  const boxes = countOf(facts.peers.length + 1, 'box', 'boxes');
  const copying = facts.copies.copying ? ', copies are being made' : '';
  const copies = Math.min(facts.pool?.replicas ?? 1, facts.peers.length + 1);
  return `All is well: ${boxes}, new files kept on ${copies}${copying}.`;
}

function poolStatus(facts: ApplianceFacts): PoolStatus | null {
  if (facts.pool === null) return null;
  return {
    ...facts.pool,
    boxes: facts.peers.length + 1,
    boxesReachable: facts.peers.filter((peer) => peer.reachable).length + 1,
  };
}

function capacityOf(volumes: readonly VolumeFacts[]): CapacityStatus {
  const working = volumes.filter(({ state }) => state === 'ok' || state === 'full');
  const sum = (bytesOf: (volume: VolumeFacts) => number) =>
    working.reduce((total, volume) => total + bytesOf(volume), 0);
  return {
    totalBytes: sum((volume) => volume.capacityBytes),
    usedBytes: sum((volume) => volume.usedBytes),
    freeBytes: sum((volume) => volume.freeBytes),
  };
}
