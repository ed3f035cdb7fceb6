import { mdnsUnicastRepliesMax, mdnsUnicastRepliesPerSecondMax } from '../../base/discovery-limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import type { ResourceRecord } from '../dns/message.ts';
import { distinct } from './records.ts';

/** Replies to single askers that wait for their time, and how many were given lately. */
export interface UnicastReplies {
  readonly waiting: readonly UnicastReply[];
  /** The second that is being counted. */
  readonly sinceMs: number;
  readonly count: number;
}

interface UnicastReply {
  readonly to: DatagramAddress;
  readonly answers: readonly ResourceRecord[];
  readonly dueMs: number;
}

export const noReplies: UnicastReplies = { waiting: [], sinceMs: Number.NEGATIVE_INFINITY, count: 0 };

/** Whether one more may be given: what is multicast has a limit for each record, and this stands in its place. */
export function mayReply(replies: UnicastReplies, now: number): boolean {
  return now - replies.sinceMs >= 1000 || replies.count < mdnsUnicastRepliesPerSecondMax;
}

export function countReply(replies: UnicastReplies, now: number): UnicastReplies {
  const isOver = now - replies.sinceMs >= 1000;
  return { ...replies, sinceMs: isOver ? now : replies.sinceMs, count: isOver ? 1 : replies.count + 1 };
}

/** What waits for the same asker goes along; when too many askers wait, the oldest is forgotten and asks again. */
export function withReply(replies: UnicastReplies, reply: UnicastReply, now: number): UnicastReplies {
  const isSame = ({ to }: UnicastReply) => to.address === reply.to.address && to.port === reply.to.port;
  const other = replies.waiting.find(isSame);
  if (other !== undefined) {
    const merged = {
      ...other,
      answers: distinct([...other.answers, ...reply.answers]),
      dueMs: Math.min(other.dueMs, reply.dueMs),
    };
    return { ...replies, waiting: replies.waiting.map((one) => (one === other ? merged : one)) };
  }
  const waiting = [...replies.waiting, reply].slice(-mdnsUnicastRepliesMax);
  return { ...countReply(replies, now), waiting };
}
