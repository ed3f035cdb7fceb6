import {
  mdnsCacheRecordsMax,
  mdnsCacheSetRecordsMax,
  mdnsCacheTtlSecondsMax,
} from '../../base/discovery-limits.ts';
import { classInternet, type ResourceRecord } from '../dns/message.ts';
import type { Name } from '../dns/name.ts';
import { recordKey, setKey, setKeyOf } from './records.ts';

/** RFC 6762 §10.1, §10.2: how long a withdrawn or flushed record is still kept. */
const graceMs = 1000;

/** What one link has told. Never changed: each function returns the next one, or the same when nothing is different. */
export interface RecordCache {
  /** By the key of the set, of each the record received last at the end. */
  readonly sets: ReadonlyMap<string, readonly CachedRecord[]>;
  /** Records in all of them. */
  readonly size: number;
  /** Another number when records came, went or took another's place; the same when they were only heard again. */
  readonly edition: number;
}

export interface CachedRecord {
  readonly record: ResourceRecord;
  readonly receivedMs: number;
  readonly lifetimeMs: number;
  readonly expiresMs: number;
  /** How often its renewal was asked for (RFC 6762 §5.2), and when last. */
  readonly refreshes: number;
  readonly refreshedMs: number;
  /** Questions of others that it would have answered since it was last heard, and when the last was (§10.5). */
  readonly unanswered: number;
  readonly unansweredMs: number;
}

export const emptyCache: RecordCache = { sets: new Map(), size: 0, edition: 0 };

/**
 * Takes in the records of one message. A lifetime of 0 withdraws; a unique record flushes what was said before the
 * last second about its name and type. When the cache or the set is full, records not yet known are left out.
 */
export function receive(cache: RecordCache, records: readonly ResourceRecord[], now: number): RecordCache {
  if (records.length === 0) return cache;
  const sets = new Map(cache.sets);
  let { size, edition } = cache;
  for (const record of records) {
    const key = setKey(record);
    const set = sets.get(key) ?? [];
    const next = receiveOne(set, record, size < mdnsCacheRecordsMax, now);
    if (next.length !== set.length || isOtherLast(set, next)) edition++;
    size += next.length - set.length;
    if (next.length > 0) sets.set(key, next);
  }
  const flushed = new Set(records.filter((record) => record.cacheFlush && record.ttlSeconds > 0).map(setKey));
  for (const key of flushed) {
    const set = sets.get(key)?.map((cached) => {
      return now - cached.receivedMs > graceMs ? endingWithin(cached, now, graceMs) : cached;
    });
    if (set !== undefined) sets.set(key, set);
  }
  return { sets, size, edition };
}

/** Of a unique set the record heard last is the one that counts. */
function isOtherLast(before: readonly CachedRecord[], after: readonly CachedRecord[]): boolean {
  const [old, next] = [before.at(-1)?.record, after.at(-1)?.record];
  return next?.cacheFlush === true && (old === undefined || recordKey(old) !== recordKey(next));
}

function receiveOne(
  set: readonly CachedRecord[],
  record: ResourceRecord,
  hasRoom: boolean,
  now: number,
): readonly CachedRecord[] {
  const key = recordKey(record);
  const known = set.find((cached) => recordKey(cached.record) === key);
  if (record.ttlSeconds === 0)
    return set.map((cached) => (cached === known ? endingWithin(cached, now, graceMs) : cached));
  if (known === undefined && (!hasRoom || set.length >= mdnsCacheSetRecordsMax)) return set;
  const lifetimeMs = Math.min(record.ttlSeconds, mdnsCacheTtlSecondsMax) * 1000;
  const cached: CachedRecord = {
    record,
    receivedMs: now,
    lifetimeMs,
    expiresMs: now + lifetimeMs,
    refreshes: 0,
    refreshedMs: Number.NEGATIVE_INFINITY,
    unanswered: 0,
    unansweredMs: Number.NEGATIVE_INFINITY,
  };
  return [...set.filter((one) => one !== known), cached];
}

/** The cache without what has expired; the same one when nothing has. */
export function expire(cache: RecordCache, now: number): RecordCache {
  return withEach(cache, (cached) => (cached.expiresMs > now ? cached : undefined));
}

/** The cache with each record as `change` gives it, without those it gives as undefined. */
export function withEach(
  cache: RecordCache,
  change: (cached: CachedRecord) => CachedRecord | undefined,
): RecordCache {
  let sets: Map<string, readonly CachedRecord[]> | undefined;
  let { size, edition } = cache;
  for (const [key, set] of cache.sets) {
    const next = set.map(change);
    if (next.every((cached, index) => cached === set[index])) continue;
    const live = next.filter((cached) => cached !== undefined);
    sets ??= new Map(cache.sets);
    if (live.length !== set.length) edition++;
    size += live.length - set.length;
    if (live.length === 0) sets.delete(key);
    else sets.set(key, live);
  }
  return sets === undefined ? cache : { sets, size, edition };
}

/** The same for the records of one name and type. */
export function withSet(
  cache: RecordCache,
  name: Name,
  type: number,
  change: (cached: CachedRecord) => CachedRecord,
): RecordCache {
  const key = setKeyOf(name, type, classInternet);
  const set = cache.sets.get(key);
  if (set === undefined) return cache;
  return { ...cache, sets: new Map(cache.sets).set(key, set.map(change)) };
}

/** Everything known of one name and type, the newest last. */
export function lookUp(cache: RecordCache, name: Name, type: number): readonly CachedRecord[] {
  return cache.sets.get(setKeyOf(name, type, classInternet)) ?? [];
}

/** The record, to be gone after `withinMs` unless it is heard again. */
export function endingWithin(cached: CachedRecord, now: number, withinMs: number): CachedRecord {
  return { ...cached, expiresMs: Math.min(cached.expiresMs, now + withinMs) };
}
