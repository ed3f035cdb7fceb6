import { hash } from 'node:crypto';
import { mqttConditionsMax, mqttTextCharactersMax } from '../../base/face-limits.ts';
import { isoTime } from '../../base/log.ts';
import type { ApplianceStatus } from '../../status/appliance-status.ts';
import { type Severity, severities } from '../../status/condition.ts';
import type { UpdateState } from '../../status/facts.ts';

/** What the sensors show: one JSON text. Nothing of it tells of files, codes, keys or addresses. */
export interface StateMessage {
  readonly health: string;
  readonly problem: OnOff;
  /** Attributes of the problem: what is the matter, in words. */
  readonly attributes: {
    readonly severity: Severity;
    readonly headline: string;
    readonly help: string;
    readonly conditions: readonly string[];
  };
  /** One decimal, so that a busy box does not publish with every write. */
  readonly capacity_gib: number;
  readonly used_gib: number;
  readonly free_gib: number;
  /** Degrees Celsius. */
  readonly temperature: number | null;
  readonly boxes: number | null;
  readonly boxes_reachable: number | null;
  readonly copies_missing: number;
  /** Attributes of the update: its entity knows fewer states than a box, and refuses keys that it does not know. */
  readonly update: {
    readonly state: UpdateState;
    /** The hour that was set, as ISO 8601 has it. */
    readonly installs_at: string | null;
    readonly reason: string | null;
  };
  /** By {@link diskTag}. */
  readonly disks: Readonly<Record<string, DiskState>>;
}

interface DiskState {
  readonly temperature: number | null;
  readonly problem: OnOff;
}

type OnOff = 'ON' | 'OFF';

export function stateMessage(status: ApplianceStatus): StateMessage {
  const { capacity, pool, update } = status;
  return {
    health: cut(status.headline),
    problem: onOff(needsPerson(status.worst)),
    attributes: {
      severity: status.worst,
      headline: status.headline,
      help: status.help,
      conditions: status.conditions.slice(0, mqttConditionsMax).map(({ message }) => message),
    },
    capacity_gib: gibibytes(capacity.totalBytes),
    used_gib: gibibytes(capacity.usedBytes),
    free_gib: gibibytes(capacity.freeBytes),
    temperature: status.hardware.temperatureCelsius,
    boxes: pool?.boxes ?? null,
    boxes_reachable: pool?.boxesReachable ?? null,
    copies_missing: status.copies.missing,
    update: {
      state: update.state,
      installs_at: update.atMs === null ? null : isoTime(update.atMs),
      reason: update.reason,
    },
    disks: Object.fromEntries(status.volumes.map(({ name }) => [diskTag(name), diskState(status, name)])),
  };
}

/**
 * Eight hexadecimal digits of a disk's name: for ids that must be plain letters, the same for as long as the disk is
 * called so. Two of sixteen disks share them once in 36 million boxes.
 */
export function diskTag(volumeName: string): string {
  return hash('sha256', volumeName).slice(0, 8);
}

function diskState(status: ApplianceStatus, volumeName: string): DiskState {
  const disk = status.disks.find(({ volume }) => volume === volumeName);
  const isAbout = (subject: string | null) =>
    subject === volumeName || (subject !== null && subject === disk?.device);
  const concerns = status.conditions.some(
    ({ severity, subject }) => needsPerson(severity) && isAbout(subject),
  );
  return { temperature: disk?.smart?.temperatureCelsius ?? null, problem: onOff(concerns) };
}

/** What Home Assistant's update entity reads from its topic. */
export interface UpdateMessage {
  readonly title: string;
  readonly installed_version: string;
  /** The version that runs when none waits: then there is nothing to install. */
  readonly latest_version: string;
  readonly in_progress: boolean;
  readonly update_percentage: number | null;
}

/** An update that is installed but needs a restart still counts as going on: there is nothing to press but wait. */
export function updateMessage({ box, update }: ApplianceStatus): UpdateMessage {
  const inProgress = ['installing', 'restart-due', 'trial'].includes(update.state);
  const waits = inProgress || update.state === 'staged';
  return {
    title: 'AetherStore',
    installed_version: box.version,
    latest_version: (waits ? update.version : null) ?? box.version,
    in_progress: inProgress,
    update_percentage: update.state === 'installing' ? update.progressPercent : null,
  };
}

function needsPerson(severity: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf('warning');
}

function onOff(on: boolean): OnOff {
  return on ? 'ON' : 'OFF';
}

function gibibytes(bytes: number): number {
  return Math.round((bytes / 2 ** 30) * 10) / 10;
}

function cut(text: string): string {
  return text.length <= mqttTextCharactersMax ? text : `${text.slice(0, mqttTextCharactersMax - 1)}…`;
}
