import { mdnsPacketBytesMax } from '../../base/discovery-limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import {
  classInternet,
  type Message,
  type MessageHead,
  type ResourceRecord,
  response,
  typeOf,
} from '../dns/message.ts';
import { nameKey, sameName } from '../dns/name.ts';
import { announcerStep } from './announcer.ts';
import { attemptDelayMs, type ConflictHistory, noConflicts, withConflict } from './conflict-history.ts';
import {
  activated,
  type Group,
  type GroupState,
  offeredGroup,
  probingGroup,
  withdrawnRecords,
} from './group-state.ts';
import { type Claim, type ProberEvent, probeMessages, proberStep } from './prober.ts';
import { distinct, goodbye, mdnsPort, recordKey } from './records.ts';
import {
  emptyResponder,
  isFresh,
  type ResponderEvent,
  type ResponderState,
  responderDueMs,
  responderStep,
  type SendAction,
} from './responder.ts';

/** Prober, announcer and responder of one link together. */
export interface PublisherState {
  readonly groups: readonly GroupState[];
  readonly responder: ResponderState;
  readonly conflicts: ConflictHistory;
}

export type PublisherEvent =
  /** What is to be published from now on; draws from [0, 1) as everywhere. */
  | { readonly kind: 'offer'; readonly groups: readonly Group[]; readonly draw: number }
  | {
      readonly kind: 'message';
      readonly message: Message;
      readonly from: DatagramAddress;
      readonly multicast: boolean;
      readonly draw: number;
    }
  | { readonly kind: 'tick' }
  /** Say goodbye and publish nothing. */
  | { readonly kind: 'withdraw' };

export type PublisherAction =
  | SendAction
  /** Somebody has this group's name: offer the group under another. */
  | { readonly kind: 'conflict'; readonly groupId: string }
  /** The host of that address has, or says otherwise about, a name that we want or hold. */
  | { readonly kind: 'disputed'; readonly from: string }
  /** The group's first announcement goes out with this step. */
  | { readonly kind: 'announced'; readonly groupId: string };

export interface PublisherStep {
  readonly state: PublisherState;
  readonly actions: readonly PublisherAction[];
}

export const emptyPublisher: PublisherState = {
  groups: [],
  responder: emptyResponder,
  conflicts: noConflicts,
};

export function publisherStep(state: PublisherState, event: PublisherEvent, now: number): PublisherStep {
  switch (event.kind) {
    case 'offer':
      return onOffer(state, event.groups, event.draw, now);
    case 'message':
      return onMessage(state, event, now);
    case 'tick':
      return onTick(state, now);
    case 'withdraw':
      return {
        state: emptyPublisher,
        actions: goodbyes(state.groups.filter((item) => item.active).flatMap(({ group }) => group.records)),
      };
  }
}

/** When the next `tick` is due, if any. */
export function publisherDueMs(state: PublisherState): number | undefined {
  let dueMs = responderDueMs(state.responder) ?? Number.POSITIVE_INFINITY;
  for (const { prober, announcer } of state.groups) {
    if (prober !== undefined) dueMs = Math.min(dueMs, prober.nextMs);
    if (announcer !== undefined) dueMs = Math.min(dueMs, announcer.nextMs);
  }
  return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs;
}

/** Whether a message that begins like this can matter here: most queries on a LAN are about names of others. */
export function publisherWants(state: PublisherState, head: MessageHead): boolean {
  if (head.opcode !== 0 || head.rcode !== 0) return false;
  if (head.response) return true;
  if (head.questions.length === 0) return state.responder.truncated.length > 0;
  return head.questions.some(({ name }) => isConcerned(state, nameKey(name)));
}

/** Whether we have, or are about to have, records of this name. */
function isConcerned(state: PublisherState, key: string): boolean {
  if (state.responder.zone.byName.has(key)) return true;
  return state.groups.some(({ prober, group }) => prober !== undefined && nameKey(group.claim.name) === key);
}

/** Keeps what goes on unchanged, probes for new names (all at once), announces new data, says goodbye to the rest. */
function onOffer(state: PublisherState, groups: readonly Group[], draw: number, now: number): PublisherStep {
  const delayMs = attemptDelayMs(state.conflicts, now);
  const next = groups.map((group): GroupState => {
    const item = state.groups.find((other) => other.group.id === group.id);
    if (item === undefined || !sameName(item.group.claim.name, group.claim.name))
      return probingGroup(group, now, draw, delayMs);
    return offeredGroup(item, group, now);
  });
  const withdrawn = withdrawnRecords(state.groups, next);
  const step = onTick(activate({ ...state, groups: next }, now), now);
  return { state: step.state, actions: [...goodbyes(withdrawn), ...step.actions] };
}

/** Starts and stops saying records, as names become ours and cease to be, and tells the responder. */
function activate(state: PublisherState, now: number): PublisherState {
  const groups = activated(state.groups, now);
  const records = groups.filter((item) => item.active).flatMap(({ group }) => group.records);
  const responder = responderStep(state.responder, { kind: 'records', records }, now).state;
  return { ...state, groups, responder };
}

function onTick(state: PublisherState, now: number): PublisherStep {
  const probes: Claim[] = [];
  let claimed = false;
  const groups = state.groups.map((item): GroupState => {
    if (item.prober === undefined) return item;
    const step = proberStep(item.prober, { kind: 'tick' }, now);
    if (step.action === 'probe') probes.push(step.state.claim);
    if (step.action !== 'claimed') return { ...item, prober: step.state };
    claimed = true;
    return { ...item, prober: undefined, standing: 'held' };
  });
  const probed = claimed ? activate({ ...state, groups }, now) : { ...state, groups };
  const announced = announce(probed, now);
  const responded = responderStep(announced.state.responder, { kind: 'tick' }, now);
  const sent = probeMessages(probes, mdnsPacketBytesMax).map((message) => ({
    kind: 'send' as const,
    message,
  }));
  return {
    state: { ...announced.state, responder: responded.state },
    actions: [...sent, ...announced.actions, ...responded.actions],
  };
}

/**
 * All groups whose announcement is due, in one message; without what was multicast within the last second, which
 * everybody has heard and nobody may hear again so soon (RFC 6762 §6).
 */
function announce(state: PublisherState, now: number): PublisherStep {
  const answers: ResourceRecord[] = [];
  const actions: PublisherAction[] = [];
  const groups = state.groups.map((item): GroupState => {
    if (item.announcer === undefined) return item;
    const step = announcerStep(item.announcer, now);
    if (step.announce.length > 0 && item.announcer.sent === 0)
      actions.push({ kind: 'announced', groupId: item.group.id });
    answers.push(...step.announce);
    return { ...item, announcer: step.state };
  });
  if (answers.length === 0) return { state, actions: [] };
  const records = distinct(answers).filter((record) => !isFresh(state.responder, record, now));
  const responder = responderStep(state.responder, { kind: 'announced', records }, now).state;
  const next = { ...state, groups, responder };
  if (records.length === 0) return { state: next, actions };
  return { state: next, actions: [{ kind: 'send', message: response({ answers: records }) }, ...actions] };
}

function goodbyes(records: readonly ResourceRecord[]): readonly PublisherAction[] {
  if (records.length === 0) return [];
  return [{ kind: 'send', message: response({ answers: distinct(records).map(goodbye) }) }];
}

type MessageEvent = Extract<PublisherEvent, { kind: 'message' }>;

/**
 * RFC 6762 §18: other opcodes and response codes are ignored. §6, §11: a response counts only from port 5353, and one
 * that was not multicast only for a name that is being probed for.
 */
function onMessage(state: PublisherState, event: MessageEvent, now: number): PublisherStep {
  const { message, from, multicast, draw } = event;
  if (message.opcode !== 0 || message.rcode !== 0) return { state, actions: [] };
  if (message.response) return onResponse(state, event, now);
  const probed = from.port === mdnsPort ? stepProbers(state, message, from, now) : { state, actions: [] };
  const forResponder: ResponderEvent = { kind: 'query', message, from, multicast, draw };
  const responded = responderStep(probed.state.responder, forResponder, now);
  if (responded.state === state.responder && probed.state === state) return { state, actions: [] };
  return {
    state: { ...probed.state, responder: responded.state },
    actions: [...probed.actions, ...responded.actions],
  };
}

function onResponse(
  state: PublisherState,
  { message, from, multicast, draw }: MessageEvent,
  now: number,
): PublisherStep {
  const isAbout = (record: ResourceRecord) => isConcerned(state, nameKey(record.name));
  const said = [...message.answers, ...message.authorities, ...message.additionals].filter(isAbout);
  if (from.port !== mdnsPort || said.length === 0) return { state, actions: [] };
  const probed = stepProbers(state, message, from, now);
  if (!multicast) return probed;
  const defended = withDisputes(probed.state, said, from, draw, now);
  const responded = responderStep(defended.state.responder, { kind: 'response', message }, now);
  return {
    state: { ...defended.state, responder: responded.state },
    actions: [...probed.actions, ...defended.actions, ...responded.actions],
  };
}

function stepProbers(
  state: PublisherState,
  message: Message,
  from: DatagramAddress,
  now: number,
): PublisherStep {
  if (state.groups.every((item) => item.prober === undefined)) return { state, actions: [] };
  const actions: PublisherAction[] = [];
  const event: ProberEvent = { kind: 'message', message };
  let { conflicts } = state;
  const groups = state.groups.map((item): GroupState => {
    if (item.prober === undefined) return item;
    const step = proberStep(item.prober, event, now);
    if (step.action !== 'conflict') return { ...item, prober: step.state };
    actions.push({ kind: 'conflict', groupId: item.group.id }, { kind: 'disputed', from: from.address });
    conflicts = withConflict(conflicts, now);
    return { ...item, prober: undefined, standing: 'lost', said: false };
  });
  return { state: { ...state, groups, conflicts }, actions };
}

/** RFC 6762 §9: whoever says otherwise about a name that is ours makes us probe for it again. */
function withDisputes(
  state: PublisherState,
  said: readonly ResourceRecord[],
  from: DatagramAddress,
  draw: number,
  now: number,
): PublisherStep {
  const disputed = state.groups.filter(
    (item) => item.standing === 'held' && said.some((record) => disputes(record, item)),
  );
  if (disputed.length === 0) return { state, actions: [] };
  const conflicts = disputed.reduce((history) => withConflict(history, now), state.conflicts);
  const delayMs = attemptDelayMs(conflicts, now);
  const groups = state.groups.map((item) =>
    disputed.includes(item) ? { ...probingGroup(item.group, now, draw, delayMs), said: item.said } : item,
  );
  return {
    state: activate({ ...state, groups, conflicts }, now),
    actions: disputed.map(() => ({ kind: 'disputed', from: from.address })),
  };
}

function disputes(record: ResourceRecord, item: GroupState): boolean {
  if (record.class !== classInternet || record.ttlSeconds === 0) return false;
  const { claim } = item.group;
  if (!sameName(record.name, claim.name)) return false;
  const set = claim.records.filter((own) => typeOf(own.data) === typeOf(record.data));
  return set.length > 0 && !set.some((own) => recordKey(own) === recordKey(record));
}
