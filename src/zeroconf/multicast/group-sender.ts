import { type Bytes, compareBytes, equalBytes } from '../../base/bytes.ts';
import { groupMemberPackets } from '../../base/discovery-limits.ts';
import { fullBucket, type TokenBucket } from '../../base/token-bucket.ts';
import type { GroupHeader, GroupMessage, GroupRefusal, SenderNames } from './group-message.ts';
import { lookUpCounter, lostCount, markCounter, openWindow, type ReplayWindow } from './replay-window.ts';

/** Where a packet came from. */
export interface GroupSource {
  readonly interfaceName: string;
  /** Without a zone. */
  readonly address: string;
}

/** What is remembered of one enrolled member. */
export interface Sender {
  readonly memberId: Bytes;
  readonly names: SenderNames;
  readonly bucket: TokenBucket;
  /** Of the sessions that have proved authentic the one that began last; undefined before anything was heard. */
  readonly session: HeardSession | undefined;
  /** Lost in earlier sessions. */
  readonly lostBefore: number;
  readonly refused: number;
  readonly heard: LastHeard | undefined;
}

interface HeardSession {
  readonly session: Bytes;
  readonly key: Bytes;
  readonly window: ReplayWindow;
}

interface LastHeard {
  readonly atMs: number;
  readonly from: GroupSource;
  readonly message: GroupMessage;
}

/** What is known of one member by the group channel. */
export interface GroupMemberFacts {
  readonly memberId: Bytes;
  /** Undefined: not heard since this box started. */
  readonly heard: { readonly address: string; readonly agoMs: number; readonly freeGiB: number } | undefined;
  /** Packets that never came, by gaps between counters. */
  readonly lost: number;
  /** Packets in its name that were not believed: replays of old ones, forgeries, floods. */
  readonly refused: number;
}

export function newSender(memberId: Bytes, names: SenderNames, now: number): Sender {
  return {
    memberId,
    names,
    bucket: fullBucket(groupMemberPackets, now),
    session: undefined,
    lostBefore: 0,
    refused: 0,
    heard: undefined,
  };
}

/** Why a packet need not be looked at, as far as its header, unmasked, tells. */
export function refusalOf({ session: known }: Sender, header: GroupHeader): GroupRefusal | undefined {
  if (known === undefined) return undefined;
  const order = compareBytes(header.session, known.session);
  if (order !== 0) return order < 0 ? 'stale' : undefined;
  const place = lookUpCounter(known.window, header.counter);
  return place === 'new' ? undefined : place === 'old' ? 'stale' : 'seen';
}

/** The key of a session where it is known; deriving one costs as much as opening a packet. */
export function knownKeyOf({ session: known }: Sender, session: Bytes): Bytes | undefined {
  return known !== undefined && equalBytes(known.session, session) ? known.key : undefined;
}

/** The sender after an authentic packet; one of a session that began later ends the one before. */
export function withPacket(sender: Sender, { session, counter }: GroupHeader, key: Bytes): Sender {
  const known = sender.session;
  if (known !== undefined && equalBytes(known.session, session)) {
    return { ...sender, session: { ...known, window: markCounter(known.window, counter) } };
  }
  const lostBefore = sender.lostBefore + (known === undefined ? 0 : lostCount(known.window));
  return { ...sender, lostBefore, session: { session, key, window: openWindow(counter) } };
}

export function senderFacts(sender: Sender, now: number): GroupMemberFacts {
  const { memberId, heard, lostBefore, session, refused } = sender;
  return {
    memberId,
    heard:
      heard === undefined
        ? undefined
        : { address: heard.from.address, agoMs: now - heard.atMs, freeGiB: heard.message.freeGiB },
    lost: lostBefore + (session === undefined ? 0 : lostCount(session.window)),
    refused,
  };
}
