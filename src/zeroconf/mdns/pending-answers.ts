import type { ResourceRecord } from '../dns/message.ts';
import { recordKey } from './records.ts';

/** RFC 6762 §6.4: how much longer an answer waits for others that are due a little later. */
const aggregationMs = 500;

/** Multicast answers that wait for their time, by the key of their record. Never changed: each function gives the next. */
export type PendingAnswers = ReadonlyMap<string, PendingAnswer>;

interface PendingAnswer {
  readonly record: ResourceRecord;
  readonly dueMs: number;
  /** Nobody else can give it, or a name is being defended: it waits for no others. */
  readonly isUrgent: boolean;
}

/** One that waits already keeps the earlier time. The same again when that changes nothing. */
export function withPending(pending: PendingAnswers, answers: readonly PendingAnswer[]): PendingAnswers {
  let next: Map<string, PendingAnswer> | undefined;
  for (const answer of answers) {
    const key = recordKey(answer.record);
    const waiting = (next ?? pending).get(key);
    const isUrgent = answer.isUrgent || waiting?.isUrgent === true;
    const dueMs = Math.min(answer.dueMs, waiting?.dueMs ?? Number.POSITIVE_INFINITY);
    if (waiting?.dueMs === dueMs && waiting.isUrgent === isUrgent) continue;
    next ??= new Map(pending);
    next.set(key, { record: answer.record, dueMs, isUrgent });
  }
  return next ?? pending;
}

export function withoutPending(pending: PendingAnswers, keys: Iterable<string>): PendingAnswers {
  if (pending.size === 0) return pending;
  const next = new Map(pending);
  for (const key of keys) next.delete(key);
  return next;
}

/**
 * When the next packet leaves: the first answer waits up to 500 ms for those that are due by then, so that one packet
 * carries all; an urgent one for none.
 */
export function pendingDueMs(pending: PendingAnswers): number | undefined {
  let firstMs = Number.POSITIVE_INFINITY;
  let urgentMs = Number.POSITIVE_INFINITY;
  for (const { dueMs, isUrgent } of pending.values()) {
    firstMs = Math.min(firstMs, dueMs);
    if (isUrgent) urgentMs = Math.min(urgentMs, dueMs);
  }
  if (firstMs === Number.POSITIVE_INFINITY) return undefined;
  let togetherMs = firstMs;
  for (const { dueMs } of pending.values()) {
    if (dueMs <= firstMs + aggregationMs) togetherMs = Math.max(togetherMs, dueMs);
  }
  return Math.min(togetherMs, urgentMs);
}

/** The answers that leave now. */
export function dueAnswers(pending: PendingAnswers, now: number): readonly ResourceRecord[] {
  const dueMs = pendingDueMs(pending);
  if (dueMs === undefined || dueMs > now) return [];
  return [...pending.values()].filter((answer) => answer.dueMs <= now).map(({ record }) => record);
}
