import type { ResourceRecord } from '../dns/message.ts';
import { sameRecord } from './records.ts';
import { wholeSet, type Zone } from './zone.ts';

/**
 * RFC 6762 §7.1: an answer that the asker knows, with at least half its lifetime left, is not given; one of a unique
 * set only when it knows them all, since a part of the set would take the rest from it (§10.2).
 */
export function unknownAnswers(
  zone: Zone,
  answers: readonly ResourceRecord[],
  known: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  if (known.length === 0 || answers.length === 0) return answers;
  const isKnown = (record: ResourceRecord) =>
    known.some((other) => other.ttlSeconds * 2 >= record.ttlSeconds && sameRecord(other, record));
  return answers.filter((record) => !wholeSet(zone, record).every(isKnown));
}
