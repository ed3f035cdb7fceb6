import { compareBytes, toHex } from '../../base/bytes.ts';
import { uncompressedData } from '../dns/encoder.ts';
import { classInternet, type RecordData, type ResourceRecord, typeOf } from '../dns/message.ts';
import { type Name, nameKey, sameName } from '../dns/name.ts';

/** Lifetimes (RFC 6762 §10): the short one where a host name is the record's name or in its data. */
export const hostTtlSeconds = 120;
export const otherTtlSeconds = 4500;

export const mdnsPort = 5353;

/** A record that nobody else may have one of: it flushes what caches hold of its name and type. */
export function uniqueRecord(name: Name, ttlSeconds: number, data: RecordData): ResourceRecord {
  return { name, class: classInternet, cacheFlush: true, ttlSeconds, data };
}

/** A record of a set that many hosts add to. */
export function sharedRecord(name: Name, ttlSeconds: number, data: RecordData): ResourceRecord {
  return { name, class: classInternet, cacheFlush: false, ttlSeconds, data };
}

/** What records of one set have in common: name, type and class. */
export function setKey(record: ResourceRecord): string {
  return keysOf(record).set;
}

export function setKeyOf(name: Name, type: number, recordClass: number): string {
  return `${nameKey(name)}/${type}/${recordClass}`;
}

/**
 * What makes two records the same record, whatever their lifetimes: their set and their data, names in it without case
 * (RFC 6762 §16).
 */
export function recordKey(record: ResourceRecord): string {
  return keysOf(record).record;
}

interface RecordKeys {
  readonly set: string;
  readonly record: string;
}

/** Keys already worked out: a record is compared with those of every packet. */
const knownKeys = new WeakMap<ResourceRecord, RecordKeys>();

function keysOf(record: ResourceRecord): RecordKeys {
  const known = knownKeys.get(record);
  if (known !== undefined) return known;
  const set = setKeyOf(record.name, typeOf(record.data), record.class);
  const keys = { set, record: `${set}/${dataKey(record.data)}` };
  knownKeys.set(record, keys);
  return keys;
}

function dataKey(data: RecordData): string {
  switch (data.kind) {
    case 'ptr':
      return nameKey(data.target);
    case 'srv':
      return `${data.priority} ${data.weight} ${data.port} ${nameKey(data.target)}`;
    case 'nsec':
      return `${nameKey(data.next)} ${data.types.join()}`;
    default:
      return toHex(uncompressedData(data));
  }
}

/** What equal {@link recordKey}s say, without making them: of a stranger's records nearly all are none of ours. */
export function sameRecord(a: ResourceRecord, b: ResourceRecord): boolean {
  if (a.class !== b.class || a.data.kind !== b.data.kind || !sameName(a.name, b.name)) return false;
  if (a.data.kind === 'ptr' && b.data.kind === 'ptr') return sameName(a.data.target, b.data.target);
  return recordKey(a) === recordKey(b);
}

/** RFC 6762 §10.1. */
export function goodbye(record: ResourceRecord): ResourceRecord {
  return { ...record, ttlSeconds: 0 };
}

/** Each record once, the first of equals. */
export function distinct(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
  const seen = new Map<string, ResourceRecord>();
  for (const record of records) {
    const key = recordKey(record);
    if (!seen.has(key)) seen.set(key, record);
  }
  return [...seen.values()];
}

/**
 * Tie-break of two hosts that probe for one name (RFC 6762 §8.2.1): class without the flush bit, then type, then the
 * data's bytes, sets sorted, the longer one later where one begins the other. Positive when `ours` wins.
 */
export function compareProposals(ours: readonly ResourceRecord[], theirs: readonly ResourceRecord[]): number {
  const [a, b] = [sorted(ours), sorted(theirs)];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = compareRecords(a[index]!, b[index]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

interface Comparable {
  readonly class: number;
  readonly type: number;
  readonly data: Uint8Array;
}

function sorted(records: readonly ResourceRecord[]): readonly Comparable[] {
  return records
    .map((record) => ({
      class: record.class,
      type: typeOf(record.data),
      data: uncompressedData(record.data),
    }))
    .sort(compareRecords);
}

function compareRecords(a: Comparable, b: Comparable): number {
  return a.class - b.class || a.type - b.type || compareBytes(a.data, b.data);
}
