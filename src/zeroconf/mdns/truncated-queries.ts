import { mdnsTruncatedQueriesMax } from '../../base/discovery-limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import type { Message, ResourceRecord } from '../dns/message.ts';
import { unknownAnswers } from './known-answers.ts';
import type { Zone } from './zone.ts';

/** RFC 6762 §7.2: wait for the rest of a list of known answers. */
const truncatedDelayMs = { least: 400, span: 100 };

/** A query whose sender has more known answers to tell. */
interface TruncatedQuery {
  readonly address: string;
  readonly dueMs: number;
  readonly answers: readonly ResourceRecord[];
}

/** The oldest first; one for each query, since what one host knows says nothing of what another knows. */
export type TruncatedQueries = readonly TruncatedQuery[];

/** Those that wait on, and the answers of those that wait no longer. */
export interface EndedQueries {
  readonly waiting: TruncatedQueries;
  readonly answers: readonly ResourceRecord[];
}

/** When too many wait, the oldest is answered. `draw` from [0, 1). */
export function withTruncated(
  queries: TruncatedQueries,
  from: DatagramAddress,
  answers: readonly ResourceRecord[],
  now: number,
  draw: number,
): EndedQueries {
  const all = [...queries, { address: from.address, dueMs: dueMs(now, draw), answers }];
  const ended = all.slice(0, -mdnsTruncatedQueriesMax);
  return { waiting: all.slice(ended.length), answers: ended.flatMap((query) => query.answers) };
}

/** A packet without questions goes on with the known answers of its sender's last one. */
export function withMoreKnown(
  queries: TruncatedQueries,
  zone: Zone,
  message: Message,
  from: DatagramAddress,
  now: number,
  draw: number,
): TruncatedQueries {
  return queries.map((query) => {
    if (query.address !== from.address) return query;
    const answers = unknownAnswers(zone, query.answers, message.answers);
    return { ...query, answers, dueMs: message.truncated ? dueMs(now, draw) : query.dueMs };
  });
}

export function endTruncated(queries: TruncatedQueries, now: number): EndedQueries {
  const ended = queries.filter((query) => query.dueMs <= now);
  if (ended.length === 0) return { waiting: queries, answers: [] };
  return {
    waiting: queries.filter((query) => query.dueMs > now),
    answers: ended.flatMap((query) => query.answers),
  };
}

function dueMs(now: number, draw: number): number {
  return now + truncatedDelayMs.least + draw * truncatedDelayMs.span;
}
