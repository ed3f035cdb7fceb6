import { mdnsCacheRecordsMax, mdnsCacheTtlSecondsMax } from '../../base/limits.ts';
import { type ResourceRecord, typeOf } from '../dns/message.ts';
import { type Name, nameKey } from '../dns/name.ts';
import { recordKey, setKey } from './records.ts';

/** RFC 6762 §10.1, §10.2: how long a withdrawn or flushed record is still kept. */
const graceMs = 1000;

/** What one link has told, by the key of the record. Never changed: each function returns the next one. */
export type RecordCache = ReadonlyMap<string, CachedRecord>;

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
  const next = new Map(cache);
  for (const record of records) {
    const key = recordKey(record);
    const known = next.get(key);
    if (record.ttlSeconds === 0) {
      if (known !== undefined) next.set(key, endingSoon(known, now));
    } else if (known !== undefined || next.size < mdnsCacheRecordsMax) {
      const lifetimeMs = Math.min(record.ttlSeconds, mdnsCacheTtlSecondsMax) * 1000;
      next.set(key, { record, receivedMs: now, lifetimeMs, expiresMs: now + lifetimeMs, refreshes: 0 });
    }
  }
  const flushed = new Set(records.filter((record) => record.cacheFlush && record.ttlSeconds > 0).map(setKey));
  for (const [key, cached] of next) {
    if (now - cached.receivedMs > graceMs && flushed.has(setKey(cached.record)))
      next.set(key, endingSoon(cached, now));
  }
  return next;
}

/** The cache without what has expired; the same one when nothing has. */
export function expire(cache: RecordCache, now: number): RecordCache {
  const live = [...cache].filter(([, cached]) => cached.expiresMs > now);
  return live.length === cache.size ? cache : new Map(live);
}

/** Everything known of one name and type. */
export function lookUp(cache: RecordCache, name: Name, type: number): readonly CachedRecord[] {
  const key = nameKey(name);
  return [...cache.values()].filter(
    ({ record }) => typeOf(record.data) === type && nameKey(record.name) === key,
  );
}

function endingSoon(cached: CachedRecord, now: number): CachedRecord {
  return { ...cached, expiresMs: Math.min(cached.expiresMs, now + graceMs) };
}
