import { CborFields, type CborValue } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import type { ApplianceStatus, PoolStatus } from './appliance-status.ts';
import { choice, countOrNull, maps, textOrNull } from './codec/fields.ts';
import { diskFrom, hardwareFrom, updateFrom, workFrom } from './codec/hardware.ts';
import { networkFrom } from './codec/network.ts';
import { type Condition, type ConditionCode, conditionCodes, severities } from './condition.ts';
import type { BoxFacts, BoxPhase, PairingFacts, PeerFacts, VolumeFacts } from './facts.ts';
import type { LightState } from './light-state.ts';

export type StatusErrorCode = 'STATUS_VERSION_UNKNOWN';

const phases: readonly BoxPhase[] = ['starting', 'running', 'updating', 'safe', 'stopping', 'stopped'];
const lightKinds: readonly LightState['kind'][] = [
  'booting',
  'healthy',
  'working',
  'attention',
  'unclaimed',
  'updating',
  'data-at-risk',
  'identify',
  'off',
];
const volumeStates: readonly VolumeFacts['state'][] = [
  'ok',
  'full',
  'failed',
  'missing',
  'retiring',
  'retired',
];

/** The status as CBOR carries it: it is plain data already. */
export function statusToCbor(status: ApplianceStatus): CborValue {
  return status as unknown as CborValue;
}

/**
 * Checks a status that another box sent. Fields it does not know are left out, so that a newer box can say more.
 * Errors: `CBOR_INVALID` (a field is missing or of another type), `STATUS_VERSION_UNKNOWN`.
 */
export function statusFromCbor(value: CborValue): ApplianceStatus {
  const fields = new CborFields(value);
  const version = fields.count('v');
  if (version !== 1) {
    throw new AetherError<StatusErrorCode>('STATUS_VERSION_UNKNOWN', `status of version ${version}`);
  }
  const capacity = fields.map('capacity');
  const copies = fields.map('copies');
  return {
    v: 1,
    worst: choice(fields, 'worst', severities),
    headline: fields.text('headline'),
    help: fields.text('help'),
    light: lightFrom(fields.map('light')),
    conditions: maps(fields, 'conditions').map(conditionFrom),
    box: boxFrom(fields.map('box')),
    pool: fields.has('pool') ? poolFrom(fields.map('pool')) : null,
    capacity: {
      totalBytes: capacity.count('totalBytes'),
      usedBytes: capacity.count('usedBytes'),
      freeBytes: capacity.count('freeBytes'),
    },
    volumes: maps(fields, 'volumes').map(volumeFrom),
    peers: maps(fields, 'peers').map(peerFrom),
    network: networkFrom(fields.map('network')),
    copies: { missing: copies.count('missing'), copying: copies.flag('copying') },
    pairing: pairingFrom(fields.map('pairing')),
    hardware: hardwareFrom(fields.map('hardware')),
    disks: maps(fields, 'disks').map(diskFrom),
    update: updateFrom(fields.map('update')),
    work: maps(fields, 'work').map(workFrom),
  };
}

function lightFrom(fields: CborFields): LightState {
  const kind = choice(fields, 'kind', lightKinds);
  return kind === 'attention' ? { kind, flashes: fields.count('flashes') } : { kind };
}

/** A newer box may know conditions that we do not; its words are shown all the same. */
function conditionFrom(fields: CborFields): Condition {
  const code = fields.text('code');
  return {
    code: conditionCodes.find((known) => known === code) ?? (code as ConditionCode),
    severity: choice(fields, 'severity', severities),
    subject: textOrNull(fields, 'subject'),
    message: fields.text('message'),
    help: fields.text('help'),
    acknowledged: fields.flag('acknowledged'),
  };
}

function boxFrom(fields: CborFields): BoxFacts {
  return {
    name: fields.text('name'),
    memberId: fields.text('memberId'),
    version: fields.text('version'),
    phase: choice(fields, 'phase', phases),
    uptimeMs: fields.count('uptimeMs'),
    identifying: fields.flag('identifying'),
  };
}

function poolFrom(fields: CborFields): PoolStatus {
  return {
    id: fields.text('id'),
    replicas: fields.count('replicas'),
    rawBytes: fields.count('rawBytes'),
    usableBytes: fields.count('usableBytes'),
    boxes: fields.count('boxes'),
    boxesReachable: fields.count('boxesReachable'),
  };
}

function volumeFrom(fields: CborFields): VolumeFacts {
  return {
    name: fields.text('name'),
    state: choice(fields, 'state', volumeStates),
    error: textOrNull(fields, 'error'),
    capacityBytes: fields.count('capacityBytes'),
    usedBytes: fields.count('usedBytes'),
    freeBytes: fields.count('freeBytes'),
    chunkCount: fields.count('chunkCount'),
    corruptRecords: fields.count('corruptRecords'),
  };
}

function peerFrom(fields: CborFields): PeerFacts {
  return {
    name: fields.text('name'),
    memberId: fields.text('memberId'),
    reachable: fields.flag('reachable'),
    address: textOrNull(fields, 'address'),
    lastSeenAgoMs: countOrNull(fields, 'lastSeenAgoMs'),
  };
}

function pairingFrom(fields: CborFields): PairingFacts {
  return {
    locked: fields.flag('locked'),
    lockedForMs: countOrNull(fields, 'lockedForMs'),
    codeShown: fields.flag('codeShown'),
  };
}
