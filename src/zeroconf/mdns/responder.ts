import { mdnsTruncatedQueriesMax } from '../../base/limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import { type Message, type ResourceRecord, response } from '../dns/message.ts';
import { distinct, mdnsPort, recordKey } from './records.ts';
import { additionalsTo, answersTo, type Zone, zoneOf } from './zone.ts';

/** RFC 6762 §6: wait before an answer that others may give as well. */
const sharedDelayMs = { least: 20, span: 100 };
/** RFC 6762 §7.2: wait for the rest of a list of known answers. */
const truncatedDelayMs = { least: 400, span: 100 };
/** RFC 6762 §6: the same record is multicast at most so often; sooner where a name must be defended. */
const multicastIntervalMs = 1000;
const defenceIntervalMs = 250;
/** RFC 6762 §6.7: what a plain DNS resolver may keep of us. */
const legacyTtlSecondsMax = 10;

/** What one link was told and is about to be told. */
export interface ResponderState {
  readonly zone: Zone;
  /** When each record, by its key, was last multicast. */
  readonly multicastAtMs: ReadonlyMap<string, number>;
  readonly pending: ReadonlyMap<string, PendingAnswer>;
  readonly truncated: readonly TruncatedQuery[];
}

interface PendingAnswer {
  readonly record: ResourceRecord;
  readonly dueMs: number;
}

/** A query whose sender has more known answers to tell. */
interface TruncatedQuery {
  readonly address: string;
  readonly dueMs: number;
  readonly answers: readonly ResourceRecord[];
}

export type ResponderEvent =
  | { readonly kind: 'records'; readonly records: readonly ResourceRecord[] }
  /** `draw` from [0, 1) chooses the delay. */
  | {
      readonly kind: 'query';
      readonly message: Message;
      readonly from: DatagramAddress;
      readonly draw: number;
    }
  | { readonly kind: 'response'; readonly message: Message; readonly multicast: boolean }
  /** These were multicast by somebody else on our side: an announcement. */
  | { readonly kind: 'announced'; readonly records: readonly ResourceRecord[] }
  | { readonly kind: 'tick' };

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
  truncated: [],
};

export function responderStep(state: ResponderState, event: ResponderEvent, now: number): ResponderStep {
  switch (event.kind) {
    case 'records':
      return { state: withRecords(state, event.records), actions: [] };
    case 'query':
      return onQuery(state, event.message, event.from, event.draw, now);
    case 'response':
      return flush(onResponse(state, event.message, event.multicast, now), now);
    case 'announced':
      return { state: withMulticast(state, event.records, now), actions: [] };
    case 'tick':
      return flush(endTruncated(state, now), now);
  }
}

/** When the next `tick` is due, if any. */
export function responderDueMs(state: ResponderState): number | undefined {
  const dues = [...state.pending.values(), ...state.truncated].map((item) => item.dueMs);
  return dues.length === 0 ? undefined : Math.min(...dues);
}

function withRecords(state: ResponderState, records: readonly ResourceRecord[]): ResponderState {
  const zone = zoneOf(records);
  const keys = new Set(zone.records.map(recordKey));
  const kept = <T>(map: ReadonlyMap<string, T>) => new Map([...map].filter(([key]) => keys.has(key)));
  return { zone, multicastAtMs: kept(state.multicastAtMs), pending: kept(state.pending), truncated: [] };
}

function onQuery(
  state: ResponderState,
  message: Message,
  from: DatagramAddress,
  draw: number,
  now: number,
): ResponderStep {
  if (message.questions.length === 0) {
    return { state: withMoreKnownAnswers(state, message, from, draw, now), actions: [] };
  }
  const asked = message.questions.map((question) => ({
    question,
    answers: unknownAnswers(answersTo(state.zone, question), message.answers),
  }));
  if (asked.every((item) => item.answers.length === 0)) return { state, actions: [] };
  if (from.port !== mdnsPort) return { state, actions: [legacyReply(state, message, from)] };
  if (message.truncated) {
    const dueMs = now + truncatedDelayMs.least + draw * truncatedDelayMs.span;
    const query = { address: from.address, dueMs, answers: asked.flatMap((item) => item.answers) };
    return {
      state: { ...state, truncated: [...state.truncated, query].slice(-mdnsTruncatedQueriesMax) },
      actions: [],
    };
  }
  const unicast = distinct(
    asked
      .filter((item) => item.question.unicastResponse)
      .flatMap((item) => item.answers)
      .filter((record) => wasMulticastRecently(state, record, now)),
  );
  const unicastKeys = new Set(unicast.map(recordKey));
  const multicast = asked
    .flatMap((item) => item.answers)
    .filter((record) => !unicastKeys.has(recordKey(record)));
  const isDefence = message.authorities.length > 0;
  const isAtOnce =
    isDefence || (message.questions.length === 1 && multicast.every((record) => record.cacheFlush));
  const delayMs = isAtOnce ? 0 : sharedDelayMs.least + draw * sharedDelayMs.span;
  const intervalMs = isDefence ? defenceIntervalMs : multicastIntervalMs;
  const step = flush(schedule(state, multicast, now + delayMs, intervalMs, now), now);
  return { state: step.state, actions: [...unicastReply(state, unicast, from), ...step.actions] };
}

/** RFC 6762 §7.1: an answer that the asker knows, with at least half its lifetime left, is not given. */
function unknownAnswers(
  answers: readonly ResourceRecord[],
  known: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  if (known.length === 0) return answers;
  const lifetimes = new Map(known.map((record) => [recordKey(record), record.ttlSeconds]));
  return answers.filter((record) => (lifetimes.get(recordKey(record)) ?? -1) * 2 < record.ttlSeconds);
}

/** RFC 6762 §5.4: a unicast answer is for what everybody else has heard within a quarter of its lifetime. */
function wasMulticastRecently(state: ResponderState, record: ResourceRecord, now: number): boolean {
  const atMs = state.multicastAtMs.get(recordKey(record));
  return atMs !== undefined && now - atMs < (record.ttlSeconds * 1000) / 4;
}

function unicastReply(
  state: ResponderState,
  answers: readonly ResourceRecord[],
  to: DatagramAddress,
): readonly SendAction[] {
  if (answers.length === 0) return [];
  return [
    { kind: 'send', message: response({ answers, additionals: additionalsTo(state.zone, answers) }), to },
  ];
}

/** RFC 6762 §6.7: as a plain DNS server would answer, and so one question: more would let small packets ask for large ones. */
function legacyReply(state: ResponderState, message: Message, to: DatagramAddress): SendAction {
  const questions = message.questions.slice(0, 1);
  const answers = questions.flatMap((question) => answersTo(state.zone, question));
  const plain = (record: ResourceRecord): ResourceRecord => ({
    ...record,
    cacheFlush: false,
    ttlSeconds: Math.min(record.ttlSeconds, legacyTtlSecondsMax),
  });
  return {
    kind: 'send',
    message: response({
      id: message.id,
      questions: questions.map((question) => ({ ...question, unicastResponse: false })),
      answers: answers.map(plain),
      additionals: additionalsTo(state.zone, answers).map(plain),
    }),
    to,
    legacy: true,
  };
}

/** Answers wait for `dueMs`, and for as long as the same record must not be multicast again. */
function schedule(
  state: ResponderState,
  records: readonly ResourceRecord[],
  dueMs: number,
  intervalMs: number,
  now: number,
): ResponderState {
  const pending = new Map(state.pending);
  // Answers that already wait set the time for those that come to them, so that one packet can carry all.
  const batchMs = Math.min(
    ...[...pending.values()].map((answer) => answer.dueMs).filter((due) => due >= now),
  );
  for (const record of records) {
    const key = recordKey(record);
    const againMs = (state.multicastAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + intervalMs;
    const earliestMs = Math.max(Math.min(dueMs, batchMs), againMs);
    const waiting = pending.get(key);
    pending.set(key, { record, dueMs: Math.min(earliestMs, waiting?.dueMs ?? earliestMs) });
  }
  return { ...state, pending };
}

/** RFC 6762 §7.2: a packet without questions goes on with the known answers of its sender's last one. */
function withMoreKnownAnswers(
  state: ResponderState,
  message: Message,
  from: DatagramAddress,
  draw: number,
  now: number,
): ResponderState {
  const truncated = state.truncated.map((query) => {
    if (query.address !== from.address) return query;
    const answers = unknownAnswers(query.answers, message.answers);
    const laterMs = now + truncatedDelayMs.least + draw * truncatedDelayMs.span;
    return { ...query, answers, dueMs: message.truncated ? laterMs : query.dueMs };
  });
  return { ...state, truncated };
}

function endTruncated(state: ResponderState, now: number): ResponderState {
  const due = state.truncated.filter((query) => query.dueMs <= now);
  if (due.length === 0) return state;
  const truncated = state.truncated.filter((query) => query.dueMs > now);
  const answers = due.flatMap((query) => query.answers);
  return schedule({ ...state, truncated }, answers, now, multicastIntervalMs, now);
}

/**
 * RFC 6762 §7.4: what another host has just answered need not be said again. §6.6: where another host has our record
 * with less than half its lifetime (a goodbye, for one), we say it again to put that right.
 */
function onResponse(
  state: ResponderState,
  message: Message,
  multicast: boolean,
  now: number,
): ResponderState {
  const heard = new Map<string, number>();
  for (const record of [...message.answers, ...message.additionals])
    heard.set(recordKey(record), record.ttlSeconds);
  const lifetimeHeard = (record: ResourceRecord) => heard.get(recordKey(record));
  const pending = new Map(state.pending);
  for (const [key, { record }] of state.pending) {
    if (multicast && (lifetimeHeard(record) ?? -1) >= record.ttlSeconds) pending.delete(key);
  }
  const wrong = state.zone.records.filter((record) => {
    const lifetime = lifetimeHeard(record);
    return lifetime !== undefined && lifetime * 2 < record.ttlSeconds;
  });
  return schedule({ ...state, pending }, wrong, now, multicastIntervalMs, now);
}

/** Sends, as one message, every answer that is due. */
function flush(state: ResponderState, now: number): ResponderStep {
  const due = [...state.pending].filter(([, answer]) => answer.dueMs <= now);
  if (due.length === 0) return { state, actions: [] };
  const pending = new Map(state.pending);
  for (const [key] of due) pending.delete(key);
  const answers = due.map(([, answer]) => answer.record);
  const additionals = additionalsTo(state.zone, answers).filter(
    (record) =>
      now - (state.multicastAtMs.get(recordKey(record)) ?? Number.NEGATIVE_INFINITY) >= multicastIntervalMs,
  );
  const next = withMulticast({ ...state, pending }, [...answers, ...additionals], now);
  return { state: next, actions: [{ kind: 'send', message: response({ answers, additionals }) }] };
}

function withMulticast(
  state: ResponderState,
  records: readonly ResourceRecord[],
  now: number,
): ResponderState {
  const multicastAtMs = new Map(state.multicastAtMs);
  for (const record of records) multicastAtMs.set(recordKey(record), now);
  return { ...state, multicastAtMs };
}
