import type { CborFields } from '../../base/cbor.ts';
import type {
  AddressOrigin,
  InterfaceFacts,
  LinkLocalFacts,
  LinkLocalPhase,
  MulticastFacts,
  NetworkFacts,
  RefusedFacts,
} from '../facts.ts';
import { choice, choiceOrNull, countOrNull, maps, textOrNull, texts } from './fields.ts';

const addressOrigins: readonly AddressOrigin[] = ['dhcp', 'router', 'static', 'link-local'];
const linkLocalPhases: readonly LinkLocalPhase[] = ['off', 'waiting', 'probing', 'held', 'unavailable'];

export function networkFrom(fields: CborFields): NetworkFacts {
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
      origin: choiceOrNull(each, 'origin', addressOrigins),
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
