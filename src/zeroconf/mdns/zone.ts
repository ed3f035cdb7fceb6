import {
  classAny,
  classInternet,
  type Question,
  type ResourceRecord,
  recordType,
  typeOf,
} from '../dns/message.ts';
import { type Name, nameKey } from '../dns/name.ts';
import { distinct, hostTtlSeconds, otherTtlSeconds, recordKey, setKey, uniqueRecord } from './records.ts';

/** The records that we answer with on one link. */
export interface Zone {
  readonly records: readonly ResourceRecord[];
  readonly byName: ReadonlyMap<string, readonly ResourceRecord[]>;
  readonly byKey: ReadonlyMap<string, ResourceRecord>;
  readonly sets: ReadonlyMap<string, readonly ResourceRecord[]>;
}

export function zoneOf(records: readonly ResourceRecord[]): Zone {
  const all = distinct(records);
  return {
    records: all,
    byName: Map.groupBy(all, (record) => nameKey(record.name)),
    byKey: new Map(all.map((record) => [recordKey(record), record])),
    sets: Map.groupBy(all, setKey),
  };
}

/** A unique record with all others of its set, which are only ever said together (RFC 6762 §10.2); a shared one alone. */
export function wholeSet(zone: Zone, record: ResourceRecord): readonly ResourceRecord[] {
  return (record.cacheFlush ? zone.sets.get(setKey(record)) : undefined) ?? [record];
}

/** Our answers; for a unique name of ours without the type asked for, the NSEC record that says so (RFC 6762 §6.1). */
export function answersTo(zone: Zone, question: Question): readonly ResourceRecord[] {
  if (question.class !== classInternet && question.class !== classAny) return [];
  const there = zone.byName.get(nameKey(question.name));
  if (there === undefined) return [];
  if (question.type === recordType.any) return there;
  const answers = there.filter((record) => typeOf(record.data) === question.type);
  return answers.length > 0 ? answers : denial(there, question.type);
}

/** What whoever asked for `answers` will ask for next (RFC 6763 §12, RFC 6762 §6.2), without repeating an answer. */
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
  const missing = families.find((type) => addresses.every((record) => typeOf(record.data) !== type));
  if (missing === undefined) return addresses;
  return [...addresses, ...denial(zone.byName.get(nameKey(name)) ?? [], missing)];
}

function recordsOf(zone: Zone, name: Name, types: readonly number[]): readonly ResourceRecord[] {
  const there = zone.byName.get(nameKey(name)) ?? [];
  return there.filter((record) => types.includes(typeOf(record.data)));
}

/** Lives as long as a record of `type` would (RFC 6762 §6.1). Of names that others may have as well, nothing is denied. */
function denial(there: readonly ResourceRecord[], type: number): readonly ResourceRecord[] {
  const [first] = there;
  if (first === undefined || !there.every((record) => record.cacheFlush)) return [];
  const types = [...new Set(there.map((record) => typeOf(record.data)))].sort((a, b) => a - b);
  const ttlSeconds = type === recordType.txt ? otherTtlSeconds : hostTtlSeconds;
  return [uniqueRecord(first.name, ttlSeconds, { kind: 'nsec', next: first.name, types })];
}
