import { countOf, formatGibibytes } from '../../base/format.ts';
import type { FoundCondition } from '../condition.ts';
import {
  type ApplianceFacts,
  boxLabelOf,
  type DiskFacts,
  type SmartFacts,
  type VolumeFacts,
} from '../facts.ts';

/** A disk filled to this is nearly full: time to buy another before writes fail. */
const nearlyFullFraction = 0.9;

/** One failed read may be the cosmic ray; from here on a cable or a disk is at fault. */
const diskErrorsPerHourMin = 3;

/** Of the volumes, and of the disks below them. */
export function diskConditions(facts: ApplianceFacts): readonly FoundCondition[] {
  return [...volumeConditions(facts), ...facts.disks.flatMap(attachedDiskConditions)];
}

function volumeConditions(facts: ApplianceFacts): readonly FoundCondition[] {
  if (facts.volumes.every((volume) => isGone(volume))) return [disksGone(facts)];
  return facts.volumes.flatMap((volume) => {
    const found: FoundCondition[] = [];
    if (volume.state === 'missing') found.push(diskMissing(volume, facts));
    else if (volume.state === 'failed') found.push(diskFailed(volume, facts));
    else if (volume.state === 'retired') found.push(diskRetired(volume));
    else if (volume.state === 'full') found.push(diskFull(volume, facts));
    else if (volume.state === 'ok' && volume.usedBytes >= volume.capacityBytes * nearlyFullFraction)
      found.push(diskNearlyFull(volume));
    if (volume.state === 'ok' && volume.error !== null) found.push(diskNotRetired(volume, volume.error));
    if (volume.corruptRecords > 0) found.push(recordsCorrupt(volume, facts));
    return found;
  });
}

function isGone({ state }: VolumeFacts): boolean {
  return state === 'failed' || state === 'missing';
}

function disksGone(facts: ApplianceFacts): FoundCondition {
  if (facts.volumes.length === 0) {
    return {
      code: 'NO_DISK',
      // Nothing can be at risk in a box that never had one.
      severity: facts.pool === null ? 'notice' : 'warning',
      subject: null,
      message: 'This box has no disk to store on.',
      help: 'Attach one and take it into use, on the page or by disks adopt.',
    };
  }
  const [notMounted] = facts.volumes.filter((volume) => isNotMounted(volume, facts));
  const why = whyGone(facts);
  return {
    code: 'DISKS_GONE',
    severity: 'critical',
    subject: null,
    message: `No disk of this box works any more${why === '' ? '' : `: ${why}`}.`,
    help:
      notMounted === undefined
        ? 'Check cables and power of the disks; one that answers again is used by itself, else start the box again.'
        : helpToMount(notMounted, facts),
  };
}

/** In a part of a sentence; empty where several went and none of them says why. */
function whyGone(facts: ApplianceFacts): string {
  const notMounted = facts.volumes.filter((volume) => isNotMounted(volume, facts));
  if (notMounted.length > 0) return notMounted.map(describeNotMounted).join('; ');
  const [only, ...others] = facts.volumes;
  if (only === undefined || others.length > 0) return '';
  if (only.state === 'missing') return `${only.name} is ${describeAbsence(only, facts)}`;
  return only.error ?? '';
}

/** Its disk is attached, by the label that the box gave it, and is not mounted. */
function isOnlyAttached({ name }: VolumeFacts, { disks }: ApplianceFacts): boolean {
  return disks.some((disk) => boxLabelOf(disk) === name);
}

/** It is attached and could not be mounted: that is what its error says. */
function isNotMounted(volume: VolumeFacts, facts: ApplianceFacts): boolean {
  return volume.state === 'failed' && volume.error !== null && isOnlyAttached(volume, facts);
}

function describeNotMounted({ name, error }: VolumeFacts): string {
  return `${name} is attached and cannot be mounted: ${error}`;
}

function describeAbsence(volume: VolumeFacts, facts: ApplianceFacts): string {
  return isOnlyAttached(volume, facts) ? 'attached and not mounted yet' : 'not attached any more';
}

function describeCopies({ copies }: ApplianceFacts): string {
  return copies.missing === 0 ? 'the other boxes hold copies' : 'not everything has a copy on another box';
}

function helpToMount({ name }: VolumeFacts, facts: ApplianceFacts): string {
  const first = 'Check its cable and power, and plug it in again';
  if (holdsOnlyCopy(facts))
    return `${first}; there is no other copy of what disk ${name} holds: e2fsck may mend an image of it.`;
  const elsewhere = facts.pool === null ? '' : `; ${describeCopies(facts)}`;
  return `${first}; if that does not help, make it blank and take it as a new one${elsewhere}.`;
}

/** With another box in the pool there is a second copy of everything; without, what the disk held is in danger. */
function diskFailed(volume: VolumeFacts, facts: ApplianceFacts): FoundCondition {
  const why = volume.error === null ? '' : ` (${volume.error})`;
  const found = {
    code: 'DISK_FAILED',
    severity: holdsOnlyCopy(facts) ? 'critical' : 'warning',
    subject: volume.name,
  } as const;
  if (isNotMounted(volume, facts))
    return { ...found, message: `Disk ${describeNotMounted(volume)}.`, help: helpToMount(volume, facts) };
  return {
    ...found,
    message: `Disk ${volume.name} has failed${why}; the box goes on without it.`,
    help: holdsOnlyCopy(facts)
      ? `Check its cable and power; there is no other copy of what disk ${volume.name} holds.`
      : `Check its cable and power, or replace it${facts.pool === null ? '' : `; ${describeCopies(facts)}`}.`,
  };
}

/** Pulled while the box ran, not there when it started, or still being checked before it is mounted. */
function diskMissing(volume: VolumeFacts, facts: ApplianceFacts): FoundCondition {
  return {
    code: 'DISK_MISSING',
    severity: holdsOnlyCopy(facts) ? 'critical' : 'warning',
    subject: volume.name,
    message: `Disk ${volume.name} is ${describeAbsence(volume, facts)}; the box goes on without it.`,
    help: isOnlyAttached(volume, facts)
      ? 'Leave it attached while it is checked; if it is still so after an hour, plug it in again.'
      : holdsOnlyCopy(facts)
        ? 'Attach it again: there is no other copy of what it holds.'
        : 'Attach it again, or replace it.',
  };
}

function diskRetired(volume: VolumeFacts): FoundCondition {
  return {
    code: 'DISK_RETIRED',
    severity: 'notice',
    subject: volume.name,
    message: `Disk ${volume.name} is empty and may be pulled.`,
    help: 'Pull it; what it held has copies elsewhere.',
  };
}

function diskNotRetired(volume: VolumeFacts, why: string): FoundCondition {
  return {
    code: 'DISK_NOT_RETIRED',
    severity: 'notice',
    subject: volume.name,
    message: `Disk ${volume.name} could not be emptied and stays in use: ${why}.`,
    help: 'Attach another disk, or add a box to the pool; then retire it again.',
  };
}

function attachedDiskConditions(disk: DiskFacts): readonly FoundCondition[] {
  const found: FoundCondition[] = [];
  if (disk.role === 'blank') found.push(diskBlank(disk));
  if (disk.role !== 'volume' && disk.role !== 'system') return found;
  if (disk.smart !== null && (!disk.smart.passed || disk.smart.warnings.length > 0))
    found.push(diskFailing(disk, disk.smart));
  if (disk.errorsPerHour >= diskErrorsPerHourMin) found.push(diskErrors(disk));
  return found;
}

/** What a person calls a disk: the volume on it, and what is printed on its case. */
function describeDisk(disk: DiskFacts): string {
  const name = disk.volume ?? disk.device;
  return disk.model === null ? name : `${name} (${disk.model})`;
}

function diskFailing(disk: DiskFacts, { passed, warnings }: SmartFacts): FoundCondition {
  const why = warnings.length > 0 ? warnings.join(', ') : 'it says so itself';
  return {
    code: 'DISK_FAILING',
    severity: 'warning',
    subject: disk.volume ?? disk.device,
    message: `Disk ${describeDisk(disk)} ${passed ? 'may fail soon' : 'is failing'}: ${why}.`,
    help: 'Replace it: retire it first, so that what it holds is copied while it still can be read.',
  };
}

function diskErrors(disk: DiskFacts): FoundCondition {
  return {
    code: 'DISK_ERRORS',
    severity: 'warning',
    subject: disk.volume ?? disk.device,
    message: `Disk ${describeDisk(disk)} has errors when it is read or written.`,
    help: `${countOf(disk.errorsPerHour, 'error')} in the last hour: check its cable and power first, then replace it.`,
  };
}

function diskBlank(disk: DiskFacts): FoundCondition {
  return {
    code: 'DISK_BLANK',
    severity: 'notice',
    subject: disk.device,
    message: `A blank disk is attached: ${describeDisk(disk)}, ${formatGibibytes(disk.sizeBytes)}.`,
    help: `To use it for the pool: disks adopt ${disk.device}`,
  };
}

/** One full disk among others costs nothing; when all are full, the box takes no more. */
function diskFull(volume: VolumeFacts, facts: ApplianceFacts): FoundCondition {
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

function diskNearlyFull(volume: VolumeFacts): FoundCondition {
  return {
    code: 'DISK_NEARLY_FULL',
    severity: 'notice',
    subject: volume.name,
    message: `Disk ${volume.name} is nearly full: ${formatGibibytes(volume.freeBytes)} are free.`,
    help: 'Plan another disk or another box.',
  };
}

function recordsCorrupt(volume: VolumeFacts, facts: ApplianceFacts): FoundCondition {
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
