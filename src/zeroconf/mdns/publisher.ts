import type { DatagramAddress } from '../../ports/datagram.ts';
import { classInternet, type Message, query, type ResourceRecord, response, typeOf } from '../dns/message.ts';
import { nameKey, sameName } from '../dns/name.ts';
import { type AnnouncerState, announcerStep, startAnnouncing } from './announcer.ts';
import {
  type Claim,
  type ProberEvent,
  type ProberState,
  probeAuthorities,
  probeQuestion,
  proberStep,
  startProbing,
} from './prober.ts';
import { distinct, goodbye, mdnsPort, recordKey, setKey } from './records.ts';
import {
  emptyResponder,
  type ResponderEvent,
  type ResponderState,
  responderDueMs,
  responderStep,
  type SendAction,
} from './responder.ts';

/** RFC 6762 §8.1: after fifteen conflicts within ten seconds, five seconds pass before each further attempt. */
const conflictWindowMs = 10_000;
const conflictsBeforeDelay = 15;
const conflictDelayMs = 5000;

/** One name to be had alone, and everything that is said once it is ours. */
export interface Group {
  readonly id: string;
  readonly claim: Claim;
  /** The claim's records and others: shared ones, and unique ones of names that need no probing. */
  readonly records: readonly ResourceRecord[];
  /** The group whose name must be ours before this one's records are said. */
  readonly after?: string;
}

/** One group's standing on one link. */
interface GroupState {
  readonly group: Group;
  /** Undefined when the name is ours, or lost. */
  readonly prober: ProberState | undefined;
  readonly standing: 'probing' | 'held' | 'lost';
  /** Whether its records are being said. */
  readonly active: boolean;
  readonly announcer: AnnouncerState | undefined;
}

/** Prober, announcer and responder of one link together. */
export interface PublisherState {
  readonly groups: readonly GroupState[];
  readonly responder: ResponderState;
  readonly conflictsAtMs: readonly number[];
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
  /** The group's first announcement goes out with this step. */
  | { readonly kind: 'announced'; readonly groupId: string };

export interface PublisherStep {
  readonly state: PublisherState;
  readonly actions: readonly PublisherAction[];
}

export const emptyPublisher: PublisherState = { groups: [], responder: emptyResponder, conflictsAtMs: [] };

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
        actions: goodbyes(state.groups.filter((item) => item.active).flatMap(recordsOf)),
      };
  }
}

/** When the next `tick` is due, if any. */
export function publisherDueMs(state: PublisherState): number | undefined {
  const dues = state.groups.flatMap((item) => [item.prober?.nextMs, item.announcer?.nextMs]);
  const all = [...dues, responderDueMs(state.responder)].filter((due) => due !== undefined);
  return all.length === 0 ? undefined : Math.min(...all);
}

function recordsOf(item: GroupState): readonly ResourceRecord[] {
  return item.group.records;
}

/** Keeps what goes on unchanged, probes for new names (all at once), announces new data, says goodbye to the rest. */
function onOffer(state: PublisherState, groups: readonly Group[], draw: number, now: number): PublisherStep {
  const conflictsAtMs = state.conflictsAtMs.filter((atMs) => now - atMs < conflictWindowMs);
  const delayMs = conflictsAtMs.length >= conflictsBeforeDelay ? conflictDelayMs : 0;
  const next = groups.map((group): GroupState => {
    const item = state.groups.find((other) => other.group.id === group.id);
    if (item === undefined || !sameName(item.group.claim.name, group.claim.name))
      return probing(group, now, draw, delayMs);
    return offeredAnew(item, group, now);
  });
  const activated = activate({ ...state, groups: next, conflictsAtMs }, now);
  const sets = new Set(
    activated.groups
      .filter((item) => item.active)
      .flatMap(recordsOf)
      .map(withdrawalKey),
  );
  const gone = state.groups.filter((item) => item.active).flatMap(recordsOf);
  const step = onTick(activated, now);
  return {
    state: step.state,
    actions: [...goodbyes(gone.filter((record) => !sets.has(withdrawalKey(record)))), ...step.actions],
  };
}

/** A unique record is replaced by any other of its set, which flushes it; a shared one must be withdrawn by itself. */
function withdrawalKey(record: ResourceRecord): string {
  return record.cacheFlush ? setKey(record) : recordKey(record);
}

function probing(group: Group, now: number, draw: number, delayMs: number): GroupState {
  const prober = startProbing(group.claim, now, draw, delayMs);
  return { group, prober, standing: 'probing', active: false, announcer: undefined };
}

/** RFC 6762 §8.4: new data under a name that is ours is announced without probing, whole sets at a time. */
function offeredAnew(item: GroupState, group: Group, now: number): GroupState {
  const prober = item.prober === undefined ? undefined : { ...item.prober, claim: group.claim };
  if (!item.active) return { ...item, group, prober };
  const before = new Set(item.group.records.map(recordKey));
  const changedSets = new Set(group.records.filter((record) => !before.has(recordKey(record))).map(setKey));
  const changed = group.records.filter((record) => changedSets.has(setKey(record)));
  if (changed.length === 0) return { ...item, group, prober };
  const still = item.announcer?.records.filter((record) =>
    group.records.some((one) => recordKey(one) === recordKey(record)),
  );
  return {
    ...item,
    group,
    prober,
    announcer: startAnnouncing(distinct([...changed, ...(still ?? [])]), now),
  };
}

/** Starts and stops saying records, as names become ours and cease to be, and tells the responder. */
function activate(state: PublisherState, now: number): PublisherState {
  const held = new Set(state.groups.filter((item) => item.standing === 'held').map((item) => item.group.id));
  const groups = state.groups.map((item): GroupState => {
    const active = held.has(item.group.id) && (item.group.after === undefined || held.has(item.group.after));
    if (active === item.active) return item;
    return { ...item, active, announcer: active ? startAnnouncing(item.group.records, now) : undefined };
  });
  const records = groups.filter((item) => item.active).flatMap(recordsOf);
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
  return {
    state: { ...announced.state, responder: responded.state },
    actions: [...probeMessage(probes), ...announced.actions, ...responded.actions],
  };
}

/** All names in one message (RFC 6762 §8.1). */
function probeMessage(claims: readonly Claim[]): readonly PublisherAction[] {
  if (claims.length === 0) return [];
  const message = query({
    questions: claims.map(probeQuestion),
    authorities: claims.flatMap(probeAuthorities),
  });
  return [{ kind: 'send', message }];
}

/** All groups whose announcement is due, in one message. */
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
  const records = distinct(answers);
  const responder = responderStep(state.responder, { kind: 'announced', records }, now).state;
  return {
    state: { ...state, groups, responder },
    actions: [{ kind: 'send', message: response({ answers: records }) }, ...actions],
  };
}

function goodbyes(records: readonly ResourceRecord[]): readonly PublisherAction[] {
  if (records.length === 0) return [];
  return [{ kind: 'send', message: response({ answers: distinct(records).map(goodbye) }) }];
}

type MessageEvent = Extract<PublisherEvent, { kind: 'message' }>;

/**
 * RFC 6762 §18: other opcodes and response codes are ignored. §6, §11: a response counts only from port 5353.
 */
function onMessage(state: PublisherState, event: MessageEvent, now: number): PublisherStep {
  const { message, from } = event;
  if (message.opcode !== 0 || message.rcode !== 0) return { state, actions: [] };
  if (message.response && from.port !== mdnsPort) return { state, actions: [] };
  const probed = stepProbers(state, message, now);
  const defended = message.response ? withConflicts(probed.state, message, event.draw, now) : probed.state;
  const forResponder: ResponderEvent = message.response
    ? { kind: 'response', message, multicast: event.multicast }
    : { kind: 'query', message, from, draw: event.draw };
  const responded = responderStep(defended.responder, forResponder, now);
  return {
    state: { ...defended, responder: responded.state },
    actions: [...probed.actions, ...responded.actions],
  };
}

function stepProbers(state: PublisherState, message: Message, now: number): PublisherStep {
  const actions: PublisherAction[] = [];
  const event: ProberEvent = { kind: 'message', message };
  const groups = state.groups.map((item): GroupState => {
    if (item.prober === undefined) return item;
    const step = proberStep(item.prober, event, now);
    if (step.action !== 'conflict') return { ...item, prober: step.state };
    actions.push({ kind: 'conflict', groupId: item.group.id });
    return { ...item, prober: undefined, standing: 'lost' };
  });
  const conflictsAtMs = [...state.conflictsAtMs, ...actions.map(() => now)].slice(-conflictsBeforeDelay);
  return { state: { ...state, groups, conflictsAtMs }, actions };
}

/** RFC 6762 §9: whoever says otherwise about a name that is ours makes us probe for it again. */
function withConflicts(state: PublisherState, message: Message, draw: number, now: number): PublisherState {
  const said = [...message.answers, ...message.additionals];
  const disputed = state.groups.filter(
    (item) => item.standing === 'held' && said.some((record) => disputes(record, item)),
  );
  if (disputed.length === 0) return state;
  const recent = state.conflictsAtMs.filter((atMs) => now - atMs < conflictWindowMs);
  const delayMs = recent.length >= conflictsBeforeDelay ? conflictDelayMs : 0;
  const groups = state.groups.map((item) =>
    disputed.includes(item) ? probing(item.group, now, draw, delayMs) : item,
  );
  const conflictsAtMs = [...recent, ...disputed.map(() => now)].slice(-conflictsBeforeDelay);
  return activate({ ...state, groups, conflictsAtMs }, now);
}

function disputes(record: ResourceRecord, item: GroupState): boolean {
  if (record.class !== classInternet || record.ttlSeconds === 0) return false;
  const { claim } = item.group;
  if (nameKey(record.name) !== nameKey(claim.name)) return false;
  const set = claim.records.filter((own) => typeOf(own.data) === typeOf(record.data));
  return set.length > 0 && !set.some((own) => recordKey(own) === recordKey(record));
}
