import { mdnsCacheRecordsMax, mdnsCacheTtlSecondsMax } from '../../base/limits.ts';
import { classInternet, type ResourceRecord } from '../dns/message.ts';
import type { Name } from '../dns/name.ts';
import { recordKey, setKey, setKeyOf } from './records.ts';

/** RFC 6762 §10.1, §10.2: how long a withdrawn or flushed record is still kept. */
const graceMs = 1000;

/** What one link has told. Never changed: each function returns the next one. */
export interface RecordCache {
  /** By the key of the record, the one received last at the end. */
  readonly records: ReadonlyMap<string, CachedRecord>;
  /** The same by the key of their sets, so that a full cache does not make each look-up slow. */
  readonly sets: ReadonlyMap<string, readonly CachedRecord[]>;
}

export interface CachedRecord {
  readonly record: ResourceRecord;
  readonly receivedMs: number;
  readonly lifetimeMs: number;
  readonly expiresMs: number;
  /** How often its renewal was asked for (RFC 6762 §5.2). */
  readonly refreshes: number;
}

/**
 * Takes in the records of one message. A lifetime of 0 withdraws; a unique record flushes what was said before the
 * last second about its name and type. When the cache is full, records not yet known are left out.
 */
export function receive(cache: RecordCache, records: readonly ResourceRecord[], now: number): RecordCache {
  if (records.length === 0) return cache;
  const next = new Map(cache.records);
  for (const record of records) {
    const key = recordKey(record);
    const known = next.get(key);
    if (record.ttlSeconds === 0) {
      if (known !== undefined) next.set(key, endingSoon(known, now));
    } else if (known !== undefined || next.size < mdnsCacheRecordsMax) {
      next.delete(key);
      const lifetimeMs = Math.min(record.ttlSeconds, mdnsCacheTtlSecondsMax) * 1000;
      next.set(key, { record, receivedMs: now, lifetimeMs, expiresMs: now + lifetimeMs, refreshes: 0 });
    }
  }
  const flushed = new Set(records.filter((record) => record.cacheFlush && record.ttlSeconds > 0).map(setKey));
  for (const [key, cached] of next) {
    if (now - cached.receivedMs > graceMs && flushed.has(setKey(cached.record)))
      next.set(key, endingSoon(cached, now));
  }
  return cacheOf(next);
}

/** The cache without what has expired; the same one when nothing has. */
export function expire(cache: RecordCache, now: number): RecordCache {
  const live = [...cache.records].filter(([, cached]) => cached.expiresMs > now);
  return live.length === cache.records.size ? cache : cacheOf(new Map(live));
}

/** The cache after the renewal of these was asked for once more. */
export function refreshed(cache: RecordCache, records: readonly CachedRecord[]): RecordCache {
  if (records.length === 0) return cache;
  const next = new Map(cache.records);
  for (const cached of records) {
    next.set(recordKey(cached.record), { ...cached, refreshes: cached.refreshes + 1 });
  }
  return cacheOf(next);
}

/** Everything known of one name and type, the newest last. */
export function lookUp(cache: RecordCache, name: Name, type: number): readonly CachedRecord[] {
  return cache.sets.get(setKeyOf(name, type, classInternet)) ?? [];
}

export const emptyCache: RecordCache = { records: new Map(), sets: new Map() };

function cacheOf(records: ReadonlyMap<string, CachedRecord>): RecordCache {
  const sets = new Map<string, CachedRecord[]>();
  for (const cached of records.values()) {
    const key = setKey(cached.record);
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [cached]);
    else set.push(cached);
  }
  return { records, sets };
}

function endingSoon(cached: CachedRecord, now: number): CachedRecord {
  return { ...cached, expiresMs: Math.min(cached.expiresMs, now + graceMs) };
}
