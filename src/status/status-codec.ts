import { CborFields, type CborValue } from '../base/cbor.ts';
import { AetherError } from '../base/errors.ts';
import type { ApplianceStatus, PoolStatus } from './appliance-status.ts';
import { type Condition, type ConditionCode, conditionCodes, severities } from './conditions.ts';
import type {
  AddressOrigin,
  BoxFacts,
  BoxPhase,
  InterfaceFacts,
  LinkLocalFacts,
  LinkLocalPhase,
  MulticastFacts,
  NetworkFacts,
  PairingFacts,
  PeerFacts,
  RefusedFacts,
  VolumeFacts,
} from './facts.ts';
import type { LightState } from './light-state.ts';

export type StatusErrorCode = 'STATUS_VERSION_UNKNOWN';

const phases: readonly BoxPhase[] = ['starting', 'running', 'updating', 'stopping', 'stopped'];
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
const addressOrigins: readonly AddressOrigin[] = ['dhcp', 'router', 'static', 'link-local'];
const linkLocalPhases: readonly LinkLocalPhase[] = ['off', 'waiting', 'probing', 'held', 'unavailable'];
const volumeStates: readonly VolumeFacts['state'][] = ['ok', 'full', 'failed'];

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
    throw new AetherError<StatusErrorCode>('STATUS_VERSION_UNKNOWN', `status of version ${version}`, {
      help: 'Update this program: the box is newer.',
    });
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

function networkFrom(fields: CborFields): NetworkFacts {
  const conflicts = fields.map('conflicts');
  return {
    interfaces: maps(fields, 'interfaces').map(interfaceFrom),
    port: countOrNull(fields, 'port'),
    announcedNames: texts(fields, 'announcedNames'),
    services: maps(fields, 'services').map((each) => ({
      instance: each.text('instance'),
      type: each.text('type'),
      port: each.count('port'),
    })),
    conflicts: {
      count: conflicts.count('count'),
      lastAgoMs: countOrNull(conflicts, 'lastAgoMs'),
      lastFrom: textOrNull(conflicts, 'lastFrom'),
    },
    refused: refusedFrom(fields.map('refused')),
    heard: maps(fields, 'heard').map((each) => ({
      host: each.text('host'),
      address: each.text('address'),
      agoMs: each.count('agoMs'),
    })),
    sharesPortWith: texts(fields, 'sharesPortWith'),
    multicast: fields.has('multicast') ? multicastFrom(fields.map('multicast')) : null,
  };
}

function multicastFrom(fields: CborFields): MulticastFacts {
  return {
    groups: maps(fields, 'groups').map((each) => ({
      address: each.text('address'),
      ethernet: each.text('ethernet'),
      interfaces: texts(each, 'interfaces'),
    })),
    members: maps(fields, 'members').map((each) => ({
      name: each.text('name'),
      memberId: each.text('memberId'),
      address: textOrNull(each, 'address'),
      heardAgoMs: countOrNull(each, 'heardAgoMs'),
      freeGiB: countOrNull(each, 'freeGiB'),
      lost: each.count('lost'),
      refused: each.count('refused'),
    })),
    sent: fields.count('sent'),
    foreign: fields.count('foreign'),
    strangers: fields.count('strangers'),
  };
}

function refusedFrom(fields: CborFields): RefusedFacts {
  return {
    malformed: fields.count('malformed'),
    offLink: fields.count('offLink'),
    arp: fields.count('arp'),
  };
}

function interfaceFrom(fields: CborFields): InterfaceFacts {
  return {
    name: fields.text('name'),
    addresses: maps(fields, 'addresses').map((each) => ({
      address: each.text('address'),
      origin: each.has('origin') ? choice(each, 'origin', addressOrigins) : null,
    })),
    linkLocal: fields.has('linkLocal') ? linkLocalFrom(fields.map('linkLocal')) : null,
  };
}

function linkLocalFrom(fields: CborFields): LinkLocalFacts {
  return {
    phase: choice(fields, 'phase', linkLocalPhases),
    address: textOrNull(fields, 'address'),
    reason: textOrNull(fields, 'reason'),
    conflicts: fields.count('conflicts'),
  };
}

function pairingFrom(fields: CborFields): PairingFacts {
  return {
    locked: fields.flag('locked'),
    lockedForMs: countOrNull(fields, 'lockedForMs'),
    codeShown: fields.flag('codeShown'),
  };
}

function choice<const Choice extends string>(
  fields: CborFields,
  name: string,
  choices: readonly Choice[],
): Choice {
  const text = fields.text(name);
  const found = choices.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  throw new AetherError('CBOR_INVALID', `CBOR: ${name}: one of ${choices.join(', ')} was expected`);
}

function maps(fields: CborFields, name: string): readonly CborFields[] {
  return fields.list(name).map((each) => new CborFields(each));
}

function texts(fields: CborFields, name: string): readonly string[] {
  return fields.list(name).map((each) => new CborFields({ each }).text('each'));
}

function textOrNull(fields: CborFields, name: string): string | null {
  return fields.has(name) ? fields.text(name) : null;
}

function countOrNull(fields: CborFields, name: string): number | null {
  return fields.has(name) ? fields.count(name) : null;
}
