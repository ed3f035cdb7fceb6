import {
  classAny,
  classInternet,
  type Question,
  type ResourceRecord,
  recordType,
  typeOf,
} from '../dns/message.ts';
import { type Name, nameKey } from '../dns/name.ts';
import { distinct, recordKey, uniqueRecord } from './records.ts';

/** The records that we answer with on one link, found by name. */
export interface Zone {
  readonly records: readonly ResourceRecord[];
  readonly byName: ReadonlyMap<string, readonly ResourceRecord[]>;
}

export function zoneOf(records: readonly ResourceRecord[]): Zone {
  const all = distinct(records);
  const byName = new Map<string, ResourceRecord[]>();
  for (const record of all) {
    const key = nameKey(record.name);
    const there = byName.get(key);
    if (there === undefined) byName.set(key, [record]);
    else there.push(record);
  }
  return { records: all, byName };
}

/** Our answers; for a unique name of ours without the type asked for, the NSEC record that says so (RFC 6762 §6.1). */
export function answersTo(zone: Zone, question: Question): readonly ResourceRecord[] {
  if (question.class !== classInternet && question.class !== classAny) return [];
  const there = zone.byName.get(nameKey(question.name)) ?? [];
  if (question.type === recordType.any) return there;
  const answers = there.filter((record) => typeOf(record.data) === question.type);
  return answers.length > 0 ? answers : denial(zone, question.name);
}

/** What whoever asked for `answers` will ask for next (RFC 6763 §12, RFC 6762 §6.1), without repeating an answer. */
export function additionalsTo(zone: Zone, answers: readonly ResourceRecord[]): readonly ResourceRecord[] {
  const additionals: ResourceRecord[] = [];
  for (const { data } of answers) {
    if (data.kind === 'ptr') {
      const described = recordsOf(zone, data.target, [recordType.srv, recordType.txt]);
      additionals.push(...described, ...described.flatMap((record) => addressesOf(zone, record)));
    } else if (data.kind === 'srv') {
      additionals.push(...targetAddresses(zone, data.target));
    }
  }
  for (const { name, data } of answers) {
    if (data.kind === 'a' || data.kind === 'aaaa') additionals.push(...targetAddresses(zone, name));
  }
  const answered = new Set(answers.map(recordKey));
  return distinct(additionals).filter((record) => !answered.has(recordKey(record)));
}

function addressesOf(zone: Zone, record: ResourceRecord): readonly ResourceRecord[] {
  return record.data.kind === 'srv' ? targetAddresses(zone, record.data.target) : [];
}

/** Addresses of both families, and for a family without any the record that denies it. */
function targetAddresses(zone: Zone, name: Name): readonly ResourceRecord[] {
  const families = [recordType.a, recordType.aaaa];
  const addresses = recordsOf(zone, name, families);
  const isWhole = families.every((type) => addresses.some((record) => typeOf(record.data) === type));
  return isWhole ? addresses : [...addresses, ...denial(zone, name)];
}

function recordsOf(zone: Zone, name: Name, types: readonly number[]): readonly ResourceRecord[] {
  const there = zone.byName.get(nameKey(name)) ?? [];
  return there.filter((record) => types.includes(typeOf(record.data)));
}

function denial(zone: Zone, name: Name): readonly ResourceRecord[] {
  const unique = (zone.byName.get(nameKey(name)) ?? []).filter((record) => record.cacheFlush);
  const first = unique[0];
  if (first === undefined) return [];
  const types = [...new Set(unique.map((record) => typeOf(record.data)))].sort((a, b) => a - b);
  return [uniqueRecord(first.name, first.ttlSeconds, { kind: 'nsec', next: first.name, types })];
}
