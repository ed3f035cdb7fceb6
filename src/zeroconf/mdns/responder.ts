import type { DatagramAddress } from '../../ports/datagram.ts';
import { type Message, type Question, type ResourceRecord, response } from '../dns/message.ts';
import { nameKey, sameName } from '../dns/name.ts';
import { unknownAnswers } from './known-answers.ts';
import {
  dueAnswers,
  type PendingAnswers,
  pendingDueMs,
  withoutPending,
  withPending,
} from './pending-answers.ts';
import { distinct, mdnsPort, recordKey } from './records.ts';
import {
  type EndedQueries,
  endTruncated,
  type TruncatedQueries,
  withMoreKnown,
  withTruncated,
} from './truncated-queries.ts';
import { countReply, mayReply, noReplies, type UnicastReplies, withReply } from './unicast-replies.ts';
import { additionalsTo, answersTo, wholeSet, type Zone, zoneOf } from './zone.ts';

/** RFC 6762 §6: wait before an answer that others may give as well. */
const sharedDelayMs = { least: 20, span: 100 };
/** RFC 6762 §6: the same record is multicast at most so often; sooner where a name must be defended. */
const multicastIntervalMs = 1000;
const defenceIntervalMs = 250;
/** RFC 6762 §6.7: what a plain DNS resolver may keep of us. */
const legacyTtlSecondsMax = 10;

/** What one link was told and is about to be told. */
export interface ResponderState {
  readonly zone: Zone;
  /** When each record, by its key, was last multicast, by us or, the same, by somebody else (RFC 6762 §7.4). */
  readonly multicastAtMs: ReadonlyMap<string, number>;
  readonly pending: PendingAnswers;
  readonly replies: UnicastReplies;
  readonly truncated: TruncatedQueries;
}

export type ResponderEvent =
  | { readonly kind: 'records'; readonly records: readonly ResourceRecord[] }
  /** `multicast`: it was sent to the group. `draw` from [0, 1) chooses the delay. */
  | {
      readonly kind: 'query';
      readonly message: Message;
      readonly from: DatagramAddress;
      readonly multicast: boolean;
      readonly draw: number;
    }
  /** One that everybody heard. */
  | { readonly kind: 'response'; readonly message: Message }
  /** These were multicast by somebody else on our side: an announcement. */
  | { readonly kind: 'announced'; readonly records: readonly ResourceRecord[] }
  | { readonly kind: 'tick' };

type QueryEvent = Extract<ResponderEvent, { kind: 'query' }>;

/** To the group, or to one address; `legacy` as plain DNS. */
export interface SendAction {
  readonly kind: 'send';
  readonly message: Message;
  readonly to?: DatagramAddress;
  readonly legacy?: boolean;
}

export interface ResponderStep {
  readonly state: ResponderState;
  readonly actions: readonly SendAction[];
}

export const emptyResponder: ResponderState = {
  zone: zoneOf([]),
  multicastAtMs: new Map(),
  pending: new Map(),
  replies: noReplies,
  truncated: [],
};

export function responderStep(state: ResponderState, event: ResponderEvent, now: number): ResponderStep {
  switch (event.kind) {
    case 'records':
      return { state: withRecords(state, event.records), actions: [] };
    case 'query':
      return onQuery(state, event, now);
    case 'response':
      return flush(onResponse(state, event.message, now), now);
    case 'announced':
      return { state: withMulticast(state, event.records, now), actions: [] };
    case 'tick':
      return flush(withEnded(state, endTruncated(state.truncated, now), now), now);
  }
}

/** When the next `tick` is due, if any. */
export function responderDueMs(state: ResponderState): number | undefined {
  let dueMs = pendingDueMs(state.pending) ?? Number.POSITIVE_INFINITY;
  for (const query of state.truncated) dueMs = Math.min(dueMs, query.dueMs);
  for (const reply of state.replies.waiting) dueMs = Math.min(dueMs, reply.dueMs);
  return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs;
}

/** Whether all or, of a shared set, this one record was multicast within the last second. */
export function isFresh(state: ResponderState, record: ResourceRecord, now: number): boolean {
  return wholeSet(state.zone, record).some((one) => now - multicastAt(state, one) < multicastIntervalMs);
}

function withRecords(state: ResponderState, records: readonly ResourceRecord[]): ResponderState {
  const zone = zoneOf(records);
  const kept = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([key]) => zone.byKey.has(key)));
  const isOurs = (record: ResourceRecord) => zone.byKey.has(recordKey(record));
  const answersKept = <T extends { readonly answers: readonly ResourceRecord[] }>(list: readonly T[]) =>
    list.map((one) => ({ ...one, answers: one.answers.filter(isOurs) }));
  return {
    zone,
    multicastAtMs: kept(state.multicastAtMs),
    pending: kept(state.pending),
    replies: { ...state.replies, waiting: answersKept(state.replies.waiting) },
    truncated: answersKept(state.truncated),
  };
}

/** One question with our answers to it, as far as they are not known. */
interface Asked {
  readonly question: Question;
  readonly answers: readonly ResourceRecord[];
}

function onQuery(state: ResponderState, event: QueryEvent, now: number): ResponderStep {
  const { message, from, draw } = event;
  if (message.questions.length === 0) {
    if (state.truncated.length === 0) return { state, actions: [] };
    const truncated = withMoreKnown(state.truncated, state.zone, message, from, now, draw);
    return { state: { ...state, truncated }, actions: [] };
  }
  if (from.port !== mdnsPort) return onLegacyQuery(state, message, from, now);
  const asked = message.questions
    .map((question) => ({
      question,
      answers: unknownAnswers(state.zone, answersTo(state.zone, question), message.answers),
    }))
    .filter(({ answers }) => answers.length > 0);
  if (asked.length === 0) return { state, actions: [] };
  if (message.truncated) {
    const answers = distinct(asked.flatMap((one) => one.answers));
    return flush(withEnded(state, withTruncated(state.truncated, from, answers, now, draw), now), now);
  }
  return flush(withAnswers(state, event, asked, now), now);
}

/**
 * Chooses for each answer the way and the time. RFC 6762 §5.4, §5.5: to the asker alone when it asked for that and
 * everybody else heard the answer within a quarter of its lifetime. §6: at once when nobody else can answer, or to
 * defend a name; else after 20–120 ms.
 */
function withAnswers(
  state: ResponderState,
  { message, from, multicast, draw }: QueryEvent,
  asked: readonly Asked[],
  now: number,
): ResponderState {
  const isAlone = message.questions.length === 1 && asked[0]!.answers.every((record) => record.cacheFlush);
  const laterMs = now + sharedDelayMs.least + draw * sharedDelayMs.span;
  const maySingly = mayReply(state.replies, now);
  const single: ResourceRecord[] = [];
  let singleDueMs = now;
  let next = state;
  for (const { question, answers } of asked) {
    const isProbed = message.authorities.some((record) => sameName(record.name, question.name));
    const singly = (!multicast || question.unicastResponse) && maySingly;
    for (const record of answers) {
      const isDefence = isProbed && record.cacheFlush;
      const isUrgent = isDefence || isAlone;
      if (singly && wasMulticastRecently(state, record, now)) {
        single.push(record);
        if (!isUrgent) singleDueMs = laterMs;
      } else {
        const dueMs = isUrgent ? now : laterMs;
        next = schedule(next, [record], dueMs, isDefence ? defenceIntervalMs : multicastIntervalMs, isUrgent);
      }
    }
  }
  if (single.length === 0) return next;
  const reply = { to: from, answers: distinct(single), dueMs: singleDueMs };
  return { ...next, replies: withReply(next.replies, reply, now) };
}

function wasMulticastRecently(state: ResponderState, record: ResourceRecord, now: number): boolean {
  return wholeSet(state.zone, record).every(
    (one) => now - multicastAt(state, one) < (one.ttlSeconds * 1000) / 4,
  );
}

/** As a plain DNS server would answer, and so one question: more would let small packets ask for large ones. */
function onLegacyQuery(
  state: ResponderState,
  message: Message,
  to: DatagramAddress,
  now: number,
): ResponderStep {
  const question = message.questions[0]!;
  const answers = answersTo(state.zone, question);
  if (answers.length === 0 || !mayReply(state.replies, now)) return { state, actions: [] };
  const plain = (record: ResourceRecord): ResourceRecord => ({
    ...record,
    cacheFlush: false,
    ttlSeconds: Math.min(record.ttlSeconds, legacyTtlSecondsMax),
  });
  const reply = response({
    id: message.id,
    questions: [{ ...question, unicastResponse: false }],
    answers: answers.map(plain),
    additionals: additionalsTo(state.zone, answers).map(plain),
  });
  return {
    state: { ...state, replies: countReply(state.replies, now) },
    actions: [{ kind: 'send', message: reply, to, legacy: true }],
  };
}

/** Answers, with the rest of their sets, wait for `dueMs`, and for as long as they must not be multicast again. */
function schedule(
  state: ResponderState,
  records: readonly ResourceRecord[],
  dueMs: number,
  intervalMs: number,
  isUrgent: boolean,
): ResponderState {
  const answers = records.flatMap((record) => {
    const set = wholeSet(state.zone, record);
    const againMs = Math.max(...set.map((one) => multicastAt(state, one))) + intervalMs;
    return set.map((one) => ({ record: one, dueMs: Math.max(dueMs, againMs), isUrgent }));
  });
  const pending = withPending(state.pending, answers);
  return pending === state.pending ? state : { ...state, pending };
}

function withEnded(state: ResponderState, { waiting, answers }: EndedQueries, now: number): ResponderState {
  if (waiting === state.truncated) return state;
  return schedule({ ...state, truncated: waiting }, answers, now, multicastIntervalMs, false);
}

/**
 * RFC 6762 §7.4: what another host has just answered, for as long as we would have, need not be said again. §6.6: where
 * another host has our record with less than half its lifetime (a goodbye, for one), we say it again to put that right.
 */
function onResponse(state: ResponderState, message: Message, now: number): ResponderState {
  const lifetimes = new Map<string, number>();
  for (const record of [...message.answers, ...message.additionals]) {
    if (state.zone.byName.has(nameKey(record.name))) lifetimes.set(recordKey(record), record.ttlSeconds);
  }
  if (lifetimes.size === 0) return state;
  const lifetimeOf = (record: ResourceRecord) => lifetimes.get(recordKey(record));
  const ours = state.zone.records.filter((record) => lifetimes.has(recordKey(record)));
  const said = ours.filter((record) =>
    wholeSet(state.zone, record).every((one) => (lifetimeOf(one) ?? -1) >= one.ttlSeconds),
  );
  const wrong = ours.filter((record) => lifetimeOf(record)! * 2 < record.ttlSeconds);
  return schedule(withMulticast(state, said, now), wrong, now, multicastIntervalMs, true);
}

/** Sends what is due: one message to everybody, and one to each asker who waits. */
function flush(state: ResponderState, now: number): ResponderStep {
  const answers = distinct(dueAnswers(state.pending, now).flatMap((record) => wholeSet(state.zone, record)));
  const replies = state.replies.waiting.filter(({ dueMs }) => dueMs <= now);
  if (answers.length === 0 && replies.length === 0) return { state, actions: [] };
  const actions = replies
    .filter((reply) => reply.answers.length > 0)
    .map(({ to, answers: given }): SendAction => {
      const message = response({ answers: given, additionals: additionalsTo(state.zone, given) });
      return { kind: 'send', message, to };
    });
  const waiting = state.replies.waiting.filter((reply) => !replies.includes(reply));
  const replied = { ...state, replies: { ...state.replies, waiting } };
  if (answers.length === 0) return { state: replied, actions };
  const additionals = additionalsTo(state.zone, answers).filter((record) => !isFresh(state, record, now));
  const next = withMulticast(replied, [...answers, ...additionals], now);
  return {
    state: next,
    actions: [...actions, { kind: 'send', message: response({ answers, additionals }) }],
  };
}

/** What was just multicast need not wait any longer, and is not multicast again soon. */
function withMulticast(
  state: ResponderState,
  records: readonly ResourceRecord[],
  now: number,
): ResponderState {
  if (records.length === 0) return state;
  const keys = records.map(recordKey);
  const multicastAtMs = new Map(state.multicastAtMs);
  for (const key of keys) multicastAtMs.set(key, now);
  return { ...state, multicastAtMs, pending: withoutPending(state.pending, keys) };
}

function multicastAt(state: ResponderState, record: ResourceRecord): number {
  return state.multicastAtMs.get(recordKey(record)) ?? Number.NEGATIVE_INFINITY;
}
