import { countOf, formatAge, formatDuration, formatGibibytes } from '../base/format.ts';
import type { ApplianceFacts, PeerFacts, VolumeFacts } from './facts.ts';

/** From good to bad. `notice`: worth saying. `warning`: a person should act. `critical`: data is at risk. */
export const severities = ['ok', 'notice', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

export const conditionCodes = [
  'DISKS_GONE',
  'DISK_FAILED',
  'RECORDS_CORRUPT',
  'COPIES_MISSING',
  'NO_NETWORK',
  'DISK_FULL',
  'BOX_AWAY',
  'NOT_CLAIMED',
  'PAIRING_LOCKED',
  'DISK_NEARLY_FULL',
  'POOL_OF_ONE',
] as const;
/** In the order of importance among conditions of one severity. */
export type ConditionCode = (typeof conditionCodes)[number];

/** Something about the box that a person should know. */
export interface Condition {
  readonly code: ConditionCode;
  readonly severity: Severity;
  /** The disk or box it is about, where it is about one. */
  readonly subject: string | null;
  /** What is the case: one sentence in plain words. */
  readonly message: string;
  /** What a person can do about it: one sentence. */
  readonly help: string;
}

/** A disk filled to this is nearly full: time to buy another before writes fail. */
const nearlyFullFraction = 0.9;

/** Right after its start a box has not yet met its peers and knows nothing of what they have; that is not news. */
const peerGraceMs = 15_000;

/** Everything that `facts` give reason to say, worst first, then by importance, then as the facts are ordered. */
export function conditionsOf(facts: ApplianceFacts): readonly Condition[] {
  const found = [
    ...diskConditions(facts),
    ...copyConditions(facts),
    ...networkConditions(facts),
    ...pairingConditions(facts),
  ];
  return found.sort(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      conditionCodes.indexOf(a.code) - conditionCodes.indexOf(b.code),
  );
}

function diskConditions(facts: ApplianceFacts): readonly Condition[] {
  if (facts.volumes.every((volume) => volume.state === 'failed')) return [disksGone(facts)];
  return facts.volumes.flatMap((volume) => {
    const found: Condition[] = [];
    if (volume.state === 'failed') found.push(diskFailed(volume, facts));
    else if (volume.state === 'full') found.push(diskFull(volume, facts));
    else if (volume.usedBytes >= volume.capacityBytes * nearlyFullFraction)
      found.push(diskNearlyFull(volume));
    if (volume.corruptRecords > 0) found.push(recordsCorrupt(volume, facts));
    return found;
  });
}

function disksGone(facts: ApplianceFacts): Condition {
  const none = facts.volumes.length === 0;
  return {
    code: 'DISKS_GONE',
    severity: 'critical',
    subject: null,
    message: none ? 'This box has no disk.' : 'No disk of this box works any more.',
    help: none
      ? 'Attach a disk and start the box again.'
      : 'Check cables and power of the disks, then start the box again.',
  };
}

/** With another box in the pool there is a second copy of everything; without, what the disk held is in danger. */
function diskFailed(volume: VolumeFacts, facts: ApplianceFacts): Condition {
  const why = volume.error === null ? '' : ` (${volume.error})`;
  const help = 'Check its cable and power, or replace it';
  return {
    code: 'DISK_FAILED',
    severity: holdsOnlyCopy(facts) ? 'critical' : 'warning',
    subject: volume.name,
    message: `Disk ${volume.name} has failed${why}; the box goes on without it.`,
    help: holdsOnlyCopy(facts)
      ? `Check its cable and power; there is no other copy of what disk ${volume.name} holds.`
      : `${help}${facts.pool === null ? '' : '; the other boxes hold copies'}.`,
  };
}

/** One full disk among others costs nothing; when all are full, the box takes no more. */
function diskFull(volume: VolumeFacts, facts: ApplianceFacts): Condition {
  const roomLeft = facts.volumes.some((other) => other.state === 'ok');
  return {
    code: 'DISK_FULL',
    severity: roomLeft ? 'notice' : 'warning',
    subject: volume.name,
    message: `Disk ${volume.name} is full (${formatGibibytes(volume.usedBytes)}).`,
    help: roomLeft
      ? 'Nothing yet: the other disks of this box have room.'
      : 'Attach another disk, add a box to the pool, or remove files.',
  };
}

function diskNearlyFull(volume: VolumeFacts): Condition {
  return {
    code: 'DISK_NEARLY_FULL',
    severity: 'notice',
    subject: volume.name,
    message: `Disk ${volume.name} is nearly full: ${formatGibibytes(volume.freeBytes)} are free.`,
    help: 'Plan another disk or another box.',
  };
}

function recordsCorrupt(volume: VolumeFacts, facts: ApplianceFacts): Condition {
  return {
    code: 'RECORDS_CORRUPT',
    severity: holdsOnlyCopy(facts) ? 'critical' : 'warning',
    subject: volume.name,
    message: `Disk ${volume.name} gave back ${countOf(volume.corruptRecords, 'damaged record')}.`,
    help: holdsOnlyCopy(facts)
      ? 'Copy your files elsewhere and replace the disk: it may be dying.'
      : 'Nothing is lost while another box has a copy; if the number grows, replace the disk.',
  };
}

function holdsOnlyCopy(facts: ApplianceFacts): boolean {
  return facts.pool !== null && facts.peers.length === 0;
}

function copyConditions(facts: ApplianceFacts): readonly Condition[] {
  if (facts.pool === null) return [];
  const found: Condition[] = [];
  const settled = facts.box.uptimeMs >= peerGraceMs;
  if (facts.peers.length === 0) {
    found.push({
      code: 'POOL_OF_ONE',
      severity: 'notice',
      subject: null,
      message: 'This is the only box of its pool: there is one copy of everything.',
      help: 'Claim a second box into the pool, then put again what is stored: each file is then kept on two.',
    });
  } else if (facts.copies.missing > 0 && (settled || facts.peers.every((peer) => peer.reachable))) {
    found.push({
      code: 'COPIES_MISSING',
      severity: 'warning',
      subject: null,
      message: `${countOf(facts.copies.missing, 'piece')} of data ${facts.copies.missing === 1 ? 'has' : 'have'} fewer than ${facts.pool.replicas} copies.`,
      help: facts.peers.every((peer) => peer.reachable)
        ? 'Keep all boxes running; free space on them if they are full.'
        : 'Bring the boxes that are away back to the network.',
    });
  }
  if (settled) {
    found.push(...facts.peers.filter((peer) => !peer.reachable).map(boxAway));
  }
  return found;
}

/** The age is in the help: the message stays the same for as long as the condition does. */
function boxAway(peer: PeerFacts): Condition {
  const heard =
    peer.lastSeenAgoMs === null
      ? 'it has not answered since this box started'
      : `it last answered ${formatAge(peer.lastSeenAgoMs)}`;
  return {
    code: 'BOX_AWAY',
    severity: 'warning',
    subject: peer.name,
    message: `Box ${peer.name} is away.`,
    help: `Check power and network of ${peer.name}; ${heard}.`,
  };
}

function networkConditions(facts: ApplianceFacts): readonly Condition[] {
  if (facts.network.interfaces.some((each) => each.addresses.length > 0)) return [];
  return [
    {
      code: 'NO_NETWORK',
      severity: 'warning',
      subject: null,
      message: 'This box has no network address.',
      help: 'Plug in a network cable, or check the switch.',
    },
  ];
}

function pairingConditions(facts: ApplianceFacts): readonly Condition[] {
  const found: Condition[] = [];
  if (facts.pool === null) {
    found.push({
      code: 'NOT_CLAIMED',
      severity: 'notice',
      subject: null,
      message: 'This box belongs to nobody yet.',
      help: `On a desktop, run: aether claim ${facts.box.name}`,
    });
  }
  if (facts.pairing.locked) {
    const wait = facts.pairing.lockedForMs;
    found.push({
      code: 'PAIRING_LOCKED',
      severity: 'notice',
      subject: null,
      message: 'Pairing is locked: too many wrong codes were tried.',
      help: `${wait === null ? 'Wait a while' : `Wait ${formatDuration(wait)}`}, then use the new code that this box shows.`,
    });
  }
  return found;
}
