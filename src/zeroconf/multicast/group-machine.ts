import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import {
  groupHeartbeatMs,
  groupHintSpreadMs,
  groupMemberPackets,
  groupPackets,
  groupSendGapMs,
  groupSilenceMs,
} from '../../base/discovery-limits.ts';
import { membersMax } from '../../base/limits.ts';
import { fullBucket, type TokenBucket, takeToken } from '../../base/token-bucket.ts';
import {
  firstCounterOf,
  type GroupHeader,
  type GroupMessage,
  type GroupMessageKind,
  type GroupRefusal,
  maskSession,
  openGroupMessage,
  senderNamesOf,
  sessionKeyOf,
} from './group-message.ts';
import {
  type GroupMemberFacts,
  type GroupSource,
  knownKeyOf,
  newSender,
  refusalOf,
  type Sender,
  senderFacts,
  withPacket,
} from './group-sender.ts';

/** A heartbeat follows this soon on a link that opens, at random, so that boxes that get power together spread. */
const firstHeartbeatSpreadMs = 1000;

/** One member's side of the group channel: when to speak, and what to believe of what is heard. */
export interface GroupState {
  readonly groupKey: Bytes;
  readonly self: Bytes;
  readonly own: OwnSession;
  /** The other enrolled members. */
  readonly senders: readonly Sender[];
  /** Where each is among them, by its tag. */
  readonly places: ReadonlyMap<string, number>;
  readonly bucket: TokenBucket;
  /** Packets without a member that could be blamed for them. */
  readonly refused: RefusedCounts;
  readonly schedule: Schedule;
}

/** How this box is known to the others, and the key it seals with. */
interface OwnSession {
  readonly tag: string;
  /** As it is sent. */
  readonly session: Bytes;
  readonly key: Bytes;
  readonly first: number;
  /** Number of the next packet; that of no packet twice. */
  readonly counter: number;
}

export interface RefusedCounts {
  /** No packets of ours. */
  readonly foreign: number;
  /** Sealed by nobody we know: another pool or epoch, or a member that we have not heard of yet. */
  readonly strangers: number;
}

interface Schedule {
  readonly nextHeartbeatMs: number;
  /** When the change hint that waits is due; never, when none does. */
  readonly hintMs: number;
  readonly lastSentMs: number;
  /** When somebody was heard last, or the groups were joined last. */
  readonly silentSinceMs: number;
}

/** Draws are from [0, 1). */
export type GroupEvent =
  | { readonly kind: 'tick'; readonly draw: number }
  /** What this box has to say has changed. */
  | { readonly kind: 'changed'; readonly draw: number }
  /** A link opened. */
  | { readonly kind: 'linked'; readonly draw: number }
  /** Those who may be heard from now on; this box itself may be among them. */
  | { readonly kind: 'members'; readonly memberIds: readonly Bytes[] }
  | { readonly kind: 'packet'; readonly bytes: Bytes; readonly from: GroupSource };

export type GroupAction =
  /** Seal what there is to say now under this header with the own session's key, and send it on every link. */
  | { readonly kind: 'send'; readonly messageKind: GroupMessageKind; readonly header: GroupHeader }
  | HeardAction
  /** Leave the groups and join them anew. */
  | { readonly kind: 'rejoin' };

export interface HeardAction {
  readonly kind: 'heard';
  readonly memberId: Bytes;
  readonly from: GroupSource;
  readonly message: GroupMessage;
}

export interface GroupStep {
  readonly state: GroupState;
  readonly actions: readonly GroupAction[];
}

/** `session` is this box's own, later than all before (`nextGroupSession`). `draw` from [0, 1). */
export function startGroup(
  options: { readonly groupKey: Bytes; readonly self: Bytes; readonly session: Bytes },
  now: number,
  draw: number,
): GroupState {
  const { groupKey, self, session } = options;
  const names = senderNamesOf(groupKey, self);
  const key = sessionKeyOf(groupKey, self, session);
  const first = firstCounterOf(key);
  return {
    groupKey,
    self,
    own: { tag: names.tag, session: maskSession(session, names), key, first, counter: first },
    senders: [],
    places: new Map(),
    bucket: fullBucket(groupPackets, now),
    refused: { foreign: 0, strangers: 0 },
    schedule: {
      nextHeartbeatMs: now + draw * firstHeartbeatSpreadMs,
      hintMs: Number.POSITIVE_INFINITY,
      lastSentMs: Number.NEGATIVE_INFINITY,
      silentSinceMs: now,
    },
  };
}

export function groupStep(state: GroupState, event: GroupEvent, now: number): GroupStep {
  switch (event.kind) {
    case 'tick':
      return onTick(state, event.draw, now);
    case 'changed': {
      // Boxes that hear of a new member at one moment do not all speak at that moment.
      const hintMs = now + event.draw * groupHintSpreadMs;
      return only(scheduled(state, { hintMs: Math.min(state.schedule.hintMs, hintMs) }));
    }
    case 'linked': {
      const soonMs = now + event.draw * firstHeartbeatSpreadMs;
      return only(scheduled(state, { nextHeartbeatMs: Math.min(state.schedule.nextHeartbeatMs, soonMs) }));
    }
    case 'members':
      return only(withMembers(state, event.memberIds, now));
    case 'packet':
      return onPacket(state, event.bytes, event.from, now);
  }
}

/** When the next `tick` is due. */
export function groupDueMs(state: GroupState): number {
  return Math.min(speakMs(state), rejoinMs(state));
}

export function groupMemberFacts(state: GroupState, now: number): readonly GroupMemberFacts[] {
  return state.senders.map((sender) => senderFacts(sender, now));
}

function onTick(state: GroupState, draw: number, now: number): GroupStep {
  const actions: GroupAction[] = [];
  let next = state;
  if (now >= rejoinMs(next)) {
    next = scheduled(next, { silentSinceMs: now });
    actions.push({ kind: 'rejoin' });
  }
  if (now < speakMs(next)) return { state: next, actions };
  const { tag, session, counter } = next.own;
  const messageKind = next.schedule.hintMs <= now ? 'change' : 'heartbeat';
  actions.push({ kind: 'send', messageKind, header: { tag, session, counter } });
  next = { ...next, own: { ...next.own, counter: counter + 1 } };
  // Each message says all there is to say, so one does for both.
  next = scheduled(next, {
    nextHeartbeatMs: now + groupHeartbeatMs.least + draw * groupHeartbeatMs.span,
    hintMs: Number.POSITIVE_INFINITY,
    lastSentMs: now,
  });
  return { state: next, actions };
}

/** When a heartbeat or hint is due, but never sooner than the gap after the last words. */
function speakMs({ schedule }: GroupState): number {
  const wantedMs = Math.min(schedule.nextHeartbeatMs, schedule.hintMs);
  return Math.max(wantedMs, schedule.lastSentMs + groupSendGapMs);
}

function rejoinMs({ senders, schedule }: GroupState): number {
  return senders.length === 0 ? Number.POSITIVE_INFINITY : schedule.silentSinceMs + groupSilenceMs;
}

function withMembers(state: GroupState, memberIds: readonly Bytes[], now: number): GroupState {
  const known = new Map(state.senders.map((sender) => [toHex(sender.memberId), sender]));
  const others = memberIds.filter((memberId) => !equalBytes(memberId, state.self)).slice(0, membersMax);
  const senders = others.map((memberId) => {
    const names = () => senderNamesOf(state.groupKey, memberId);
    return known.get(toHex(memberId)) ?? newSender(memberId, names(), now);
  });
  const places = new Map(senders.map(({ names }, place) => [names.tag, place]));
  const next = { ...state, senders, places };
  return state.senders.length === 0 ? scheduled(next, { silentSinceMs: now }) : next;
}

/** Looks at a packet from the cheapest check to the dearest. */
function onPacket(state: GroupState, bytes: Bytes, from: GroupSource, now: number): GroupStep {
  const admission: { admitted?: Admitted } = {};
  const opened = openGroupMessage((header) => {
    const admitted = admit(state, header, now);
    if (typeof admitted === 'string') return admitted;
    admission.admitted = admitted;
    return admitted.key;
  }, bytes);
  const { admitted } = admission;
  if (admitted === undefined || opened.header === undefined || opened.refusal === 'forged') {
    return only(countRefused(admitted?.state ?? state, opened.header, opened.refusal));
  }
  const { place, sender, header, key } = admitted;
  const proved = withPacket(sender, header, key);
  const next = scheduled(admitted.state, { silentSinceMs: now });
  if (opened.refusal !== undefined)
    return only(countRefused(withSender(next, place, proved), opened.header, opened.refusal));
  const { message } = opened;
  const heard = { ...proved, heard: { atMs: now, from, message } };
  const action = { kind: 'heard', memberId: sender.memberId, from, message } as const;
  return { state: withSender(next, place, heard), actions: [action] };
}

/** The state after a look was paid for, and the key for it. */
interface Admitted {
  readonly state: GroupState;
  readonly place: number;
  readonly sender: Sender;
  /** Unmasked. */
  readonly header: GroupHeader;
  readonly key: Bytes;
}

/** All that can be told from a header. Packets of strangers, own ones and copies end here, before any crypto. */
function admit(state: GroupState, sent: GroupHeader, now: number): Admitted | GroupRefusal {
  const { tag } = sent;
  if (tag === state.own.tag) return 'own';
  const place = state.places.get(tag);
  const known = place === undefined ? undefined : state.senders[place];
  if (place === undefined || known === undefined) return 'stranger';
  const session = maskSession(sent.session, known.names);
  const header = { ...sent, session };
  const refusal = refusalOf(known, header);
  if (refusal !== undefined) return refusal;
  const ownBucket = takeToken(known.bucket, groupMemberPackets, now);
  const bucket = takeToken(state.bucket, groupPackets, now);
  if (ownBucket === undefined || bucket === undefined) return 'flood';
  const sender = { ...known, bucket: ownBucket };
  const key = knownKeyOf(known, session) ?? sessionKeyOf(state.groupKey, known.memberId, session);
  return { state: withSender({ ...state, bucket }, place, sender), place, sender, header, key };
}

function countRefused(
  state: GroupState,
  header: GroupHeader | undefined,
  refusal: GroupRefusal | undefined,
): GroupState {
  // Copies that other links bring are no news.
  if (refusal === undefined || refusal === 'own' || refusal === 'seen') return state;
  const place = header === undefined ? undefined : state.places.get(header.tag);
  const sender = place === undefined ? undefined : state.senders[place];
  if (place !== undefined && sender !== undefined) {
    return withSender(state, place, { ...sender, refused: sender.refused + 1 });
  }
  const { foreign, strangers } = state.refused;
  const isForeign = refusal === 'foreign';
  return {
    ...state,
    refused: { foreign: foreign + (isForeign ? 1 : 0), strangers: strangers + (isForeign ? 0 : 1) },
  };
}

function withSender(state: GroupState, place: number, sender: Sender): GroupState {
  return { ...state, senders: state.senders.with(place, sender) };
}

function scheduled(state: GroupState, changes: Partial<Schedule>): GroupState {
  return { ...state, schedule: { ...state.schedule, ...changes } };
}

function only(state: GroupState): GroupStep {
  return { state, actions: [] };
}
