import type { CborFields } from '../../base/cbor.ts';
import type { WorkStatus } from '../appliance-status.ts';
import type { DiskFacts, HardwareFacts, SmartFacts, UpdateFacts, UpdateState, WorkFacts } from '../facts.ts';
import { choice, choiceOrNull, countOrNull, flagOrNull, maps, textOrNull, texts } from './fields.ts';

const diskRoles: readonly DiskFacts['role'][] = ['volume', 'blank', 'foreign', 'system'];
const buses: readonly NonNullable<DiskFacts['bus']>[] = ['usb', 'sata', 'nvme', 'mmc', 'virtual'];
const voltages: readonly NonNullable<HardwareFacts['underVoltage']>[] = ['now', 'before', 'never'];
const clocks: readonly NonNullable<HardwareFacts['clock']>[] = ['synchronised', 'free', 'holdover', 'unset'];
const updateStates: readonly UpdateState[] = [
  'none',
  'staged',
  'installing',
  'restart-due',
  'trial',
  'rolled-back',
];
const workKinds: readonly WorkFacts['kind'][] = ['retire', 'copy', 'update', 'check'];

export function hardwareFrom(fields: CborFields): HardwareFacts {
  const memory = fields.has('memory') ? fields.map('memory') : undefined;
  const space = fields.has('recordsSpace') ? fields.map('recordsSpace') : undefined;
  return {
    model: textOrNull(fields, 'model'),
    temperatureCelsius: countOrNull(fields, 'temperatureCelsius'),
    throttled: flagOrNull(fields, 'throttled'),
    underVoltage: choiceOrNull(fields, 'underVoltage', voltages),
    memory:
      memory === undefined
        ? null
        : { totalBytes: memory.count('totalBytes'), availableBytes: memory.count('availableBytes') },
    recordsSpace:
      space === undefined
        ? null
        : { totalBytes: space.count('totalBytes'), freeBytes: space.count('freeBytes') },
    recordsReadOnly: flagOrNull(fields, 'recordsReadOnly'),
    loadPercent: countOrNull(fields, 'loadPercent'),
    clock: choiceOrNull(fields, 'clock', clocks),
    networkErrors: maps(fields, 'networkErrors').map((each) => ({
      interface: each.text('interface'),
      perMinute: each.count('perMinute'),
    })),
  };
}

export function diskFrom(fields: CborFields): DiskFacts {
  return {
    device: fields.text('device'),
    model: textOrNull(fields, 'model'),
    serial: textOrNull(fields, 'serial'),
    sizeBytes: fields.count('sizeBytes'),
    bus: choiceOrNull(fields, 'bus', buses),
    role: choice(fields, 'role', diskRoles),
    volume: textOrNull(fields, 'volume'),
    content: textOrNull(fields, 'content'),
    smart: fields.has('smart') ? smartFrom(fields.map('smart')) : null,
    errorsPerHour: fields.count('errorsPerHour'),
    locating: fields.flag('locating'),
  };
}

function smartFrom(fields: CborFields): SmartFacts {
  return {
    passed: fields.flag('passed'),
    warnings: texts(fields, 'warnings'),
    temperatureCelsius: countOrNull(fields, 'temperatureCelsius'),
    powerOnHours: countOrNull(fields, 'powerOnHours'),
  };
}

export function updateFrom(fields: CborFields): UpdateFacts {
  return {
    state: choice(fields, 'state', updateStates),
    version: textOrNull(fields, 'version'),
    progressPercent: countOrNull(fields, 'progressPercent'),
    reason: textOrNull(fields, 'reason'),
    atMs: countOrNull(fields, 'atMs'),
    stickProblem: textOrNull(fields, 'stickProblem'),
  };
}

export function workFrom(fields: CborFields): WorkStatus {
  return {
    kind: choice(fields, 'kind', workKinds),
    subject: fields.text('subject'),
    doneBytes: fields.count('doneBytes'),
    totalBytes: fields.count('totalBytes'),
    sinceMs: fields.count('sinceMs'),
    leftMs: countOrNull(fields, 'leftMs'),
  };
}
