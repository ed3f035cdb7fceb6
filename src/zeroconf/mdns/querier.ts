import { sizeOf } from '../../base/bytes.ts';
import {
  mdnsCacheTextBytesMax,
  mdnsCacheTextStringsMax,
  mdnsQuestionsPerQueryMax,
} from '../../base/discovery-limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import {
  classInternet,
  type Message,
  type MessageHead,
  type Question,
  query,
  type ResourceRecord,
  recordType,
  typeOf,
} from '../dns/message.ts';
import { type Name, nameKey, sameName } from '../dns/name.ts';
import {
  type CachedRecord,
  emptyCache,
  endingWithin,
  expire,
  lookUp,
  type RecordCache,
  receive,
  withEach,
  withSet,
} from './cache.ts';
import { type Interests, type WantedNames, wantedNames } from './interests.ts';
import { type Ask, asked, askKey, firstAsk, isAskedLately, isNear } from './question-schedule.ts';
import { mdnsPort, recordKey, setKey, setKeyOf } from './records.ts';
import type { SendAction } from './responder.ts';

/** RFC 6762 §5.2: renewal is asked for at these parts of a lifetime, and up to 2% later; never twice in a second. */
const refreshParts = [0.8, 0.85, 0.9, 0.95];
const refreshPartSpread = 0.02;
const refreshIntervalMs = 1000;
/** RFC 6762 §6: for how long after a question to be answered to us alone such answers are believed. */
const unicastAnswersMs = 2000;
/** RFC 6762 §10.4, §10.5: a record in doubt is gone when nobody has said it for so long. */
const doubtMs = 10_000;
const unansweredMax = 2;
const unansweredIntervalMs = 1000;

const { ptr, srv, txt, nsec, a, aaaa } = recordType;

/** What is wanted on one link, what is known of it, and what is being asked for. */
export interface QuerierState {
  readonly interests: Interests;
  readonly wanted: WantedNames;
  readonly wantedKeys: ReadonlySet<string>;
  readonly cache: RecordCache;
  /** Questions without an answer, and those for pointers, which are never done; by name and type. */
  readonly asks: ReadonlyMap<string, Ask>;
  /** Since when the known answers to these questions are in doubt. */
  readonly doubts: ReadonlyMap<string, number>;
  /** From [0, 1): chooses this querier's place within the spread of renewals. */
  readonly refreshDraw: number;
  readonly unicastUntilMs: number;
  /** When the next `tick` is due. */
  readonly dueMs: number;
}

/** Draws from [0, 1) keep hosts apart that hear the same thing. */
export type QuerierEvent =
  | { readonly kind: 'tick'; readonly draw: number }
  | {
      readonly kind: 'message';
      readonly message: Message;
      readonly from: DatagramAddress;
      readonly multicast: boolean;
      readonly draw: number;
    }
  /** The addresses of the link are others: it may be another network (RFC 6762 §10.3). */
  | { readonly kind: 'moved'; readonly draw: number }
  /** A service that we know of could not be reached: what is known of it is asked for anew (RFC 6762 §10.4). */
  | { readonly kind: 'doubt'; readonly instance: Name; readonly draw: number };

type MessageEvent = Extract<QuerierEvent, { kind: 'message' }>;

export interface QuerierStep {
  readonly state: QuerierState;
  readonly actions: readonly SendAction[];
}

/**
 * `draw` from [0, 1). `isLinkNew`: the link has just come up and not we, so the first questions ask for answers to us
 * alone (RFC 6762 §5.4).
 */
export function startQuerying(
  interests: Interests,
  now: number,
  draw: number,
  isLinkNew = false,
): QuerierState {
  const state: QuerierState = {
    interests,
    wanted: { pointers: [], instances: [], hosts: [] },
    wantedKeys: new Set(),
    cache: emptyCache,
    asks: new Map(),
    doubts: new Map(),
    refreshDraw: draw,
    unicastUntilMs: Number.NEGATIVE_INFINITY,
    dueMs: now,
  };
  return settled(state, now, draw, isLinkNew);
}

export function querierStep(state: QuerierState, event: QuerierEvent, now: number): QuerierStep {
  switch (event.kind) {
    case 'tick':
      return onTick(state, event.draw, now);
    case 'message':
      return { state: onMessage(state, event, now), actions: [] };
    case 'moved':
      return { state: settled({ ...state, asks: new Map() }, now, event.draw), actions: [] };
    case 'doubt':
      return { state: onDoubt(state, event.instance, event.draw, now), actions: [] };
  }
}

/** Whether a message that begins like this can matter: most queries on a LAN ask for what we do not follow. */
export function querierWants(state: QuerierState, head: MessageHead): boolean {
  if (head.opcode !== 0 || head.rcode !== 0) return false;
  return head.response || head.questions.some(({ name }) => state.wantedKeys.has(nameKey(name)));
}

/** Brings names, questions and times in line with what is known now; what nobody wants any more is forgotten. */
function settled(state: QuerierState, now: number, draw: number, unicast = false): QuerierState {
  const wanted = wantedNames(state.interests, state.cache);
  const wantedKeys = new Set([...wanted.pointers, ...wanted.instances, ...wanted.hosts].map(nameKey));
  const cache = withEach(state.cache, (cached) =>
    wantedKeys.has(nameKey(cached.record.name)) ? cached : undefined,
  );
  const doubts = new Map([...state.doubts].filter(([key, sinceMs]) => isStillDoubted(cache, key, sinceMs)));
  const asks = new Map<string, Ask>();
  const want = (name: Name, type: number) => {
    const key = askKey(name, type);
    asks.set(key, state.asks.get(key) ?? firstAsk(name, type, now, draw, unicast));
  };
  const wantMissing = (name: Name, types: readonly number[]) => {
    for (const type of types) {
      if (!isKnown(cache, name, type) || doubts.has(askKey(name, type))) want(name, type);
    }
  };
  for (const name of wanted.pointers) want(name, ptr);
  for (const name of wanted.instances) wantMissing(name, [srv, txt]);
  for (const name of wanted.hosts) wantMissing(name, [a, aaaa]);
  return withDueMs({ ...state, wanted, wantedKeys, cache, doubts, asks });
}

function isStillDoubted(cache: RecordCache, key: string, sinceMs: number): boolean {
  const set = cache.sets.get(`${key}/${classInternet}`) ?? [];
  return set.some((cached) => cached.receivedMs <= sinceMs);
}

/** Whether there is an answer, or the name is known to have none of that type (RFC 6762 §6.1). */
function isKnown(cache: RecordCache, name: Name, type: number): boolean {
  if (lookUp(cache, name, type).length > 0) return true;
  return lookUp(cache, name, nsec).some(
    ({ record }) => record.data.kind === 'nsec' && !record.data.types.includes(type),
  );
}

function withDueMs(state: QuerierState): QuerierState {
  let dueMs = Number.POSITIVE_INFINITY;
  for (const ask of state.asks.values()) dueMs = Math.min(dueMs, ask.nextMs);
  for (const set of state.cache.sets.values()) {
    for (const cached of set) dueMs = Math.min(dueMs, cached.expiresMs, refreshMs(state, cached));
  }
  return { ...state, dueMs };
}

function onMessage(state: QuerierState, event: MessageEvent, now: number): QuerierState {
  const { message, from, multicast, draw } = event;
  if (message.opcode !== 0 || message.rcode !== 0 || from.port !== mdnsPort) return state;
  if (!message.response) return multicast && !message.truncated ? onOthersQuery(state, message, now) : state;
  if (!multicast && now > state.unicastUntilMs) return state;
  const cache = receiveWanted(state, message, now);
  if (cache === state.cache) return state;
  const isOnlyRenewed = cache.edition === state.cache.edition && state.doubts.size === 0;
  return isOnlyRenewed ? withDueMs({ ...state, cache }) : settled({ ...state, cache }, now, draw);
}

/** Whether a TXT record is as small as those of services are: what is cached is all kept, and some of it said again. */
function isModest({ data }: ResourceRecord): boolean {
  if (data.kind !== 'txt') return true;
  return data.strings.length <= mdnsCacheTextStringsMax && sizeOf(data.strings) <= mdnsCacheTextBytesMax;
}

/** Caches only what leads from what is wanted to addresses, in that order, so that strangers cannot fill it. */
function receiveWanted(state: QuerierState, message: Message, now: number): RecordCache {
  const said = [...message.answers, ...message.additionals].filter(
    (record) => record.class === classInternet && isModest(record),
  );
  const about = (names: readonly Name[], types: readonly number[]): readonly ResourceRecord[] => {
    const keys = new Set(names.map(nameKey));
    return said.filter((record) => types.includes(typeOf(record.data)) && keys.has(nameKey(record.name)));
  };
  let { cache, wanted } = state;
  if (!said.some((record) => state.wantedKeys.has(nameKey(record.name)))) return cache;
  const take = (names: readonly Name[], types: readonly number[]) => {
    const records = about(names, types);
    const before = cache.edition;
    cache = receive(cache, records, now);
    if (cache.edition !== before) wanted = wantedNames(state.interests, cache);
  };
  take(wanted.pointers, [ptr]);
  take(wanted.instances, [srv, txt, nsec]);
  take(wanted.hosts, [a, aaaa, nsec]);
  return cache;
}

/**
 * RFC 6762 §7.3: a question that somebody else has just asked, knowing no more than we would say we know, counts as
 * ours. §10.5: what nobody answers, though it was asked for twice, is not there any more.
 */
function onOthersQuery(state: QuerierState, message: Message, now: number): QuerierState {
  let { asks } = state;
  const inQuestion = new Set<string>();
  for (const { name, type, unicastResponse } of message.questions) {
    if (unicastResponse || !state.wantedKeys.has(nameKey(name))) continue;
    const ask = asks.get(askKey(name, type));
    if (ask !== undefined && isNear(ask, now)) {
      const ours = new Set(knownAnswers(state.cache, name, type, now).map(recordKey));
      const theirs = message.answers.filter((record) => sameName(record.name, name));
      const knowsNoMore = theirs.every((record) => ours.has(recordKey(record)));
      if (knowsNoMore) asks = new Map(asks).set(askKey(name, type), asked(ask, now));
    }
    for (const one of type === recordType.any ? [ptr, srv, txt, a, aaaa] : [type])
      inQuestion.add(setKeyOf(name, one, classInternet));
  }
  const known = new Set(message.answers.map(recordKey));
  const cache = withEach(state.cache, (cached) =>
    inQuestion.has(setKey(cached.record)) && !known.has(recordKey(cached.record))
      ? withUnanswered(cached, now)
      : cached,
  );
  return cache === state.cache && asks === state.asks ? state : withDueMs({ ...state, asks, cache });
}

function withUnanswered(cached: CachedRecord, now: number): CachedRecord {
  if (now - cached.unansweredMs < unansweredIntervalMs) return cached;
  const next = { ...cached, unanswered: cached.unanswered + 1, unansweredMs: now };
  return next.unanswered < unansweredMax ? next : endingWithin(next, now, doubtMs);
}

function onDoubt(state: QuerierState, instance: Name, draw: number, now: number): QuerierState {
  const hosts = lookUp(state.cache, instance, srv).flatMap(({ record: { data } }) =>
    data.kind === 'srv' ? [data.target] : [],
  );
  const doubted = [
    ...[srv, txt].map((type) => ({ name: instance, type })),
    ...hosts.flatMap((name) => [a, aaaa].map((type) => ({ name, type }))),
  ];
  const doubts = new Map(state.doubts);
  const asks = new Map(state.asks);
  let { cache } = state;
  for (const { name, type } of doubted) {
    if (lookUp(cache, name, type).length === 0) continue;
    doubts.set(askKey(name, type), now);
    cache = withSet(cache, name, type, (cached) => endingWithin(cached, now, doubtMs));
  }
  for (const name of state.wanted.pointers) {
    const isIt = ({ record: { data } }: CachedRecord) =>
      data.kind === 'ptr' && sameName(data.target, instance);
    if (!lookUp(cache, name, ptr).some(isIt)) continue;
    cache = withSet(cache, name, ptr, (cached) =>
      isIt(cached) ? endingWithin(cached, now, doubtMs) : cached,
    );
    asks.delete(askKey(name, ptr));
  }
  return settled({ ...state, cache, doubts, asks }, now, draw);
}

function onTick(state: QuerierState, draw: number, now: number): QuerierStep {
  const cache = expire(state.cache, now);
  const live = cache === state.cache ? state : settled({ ...state, cache }, now, draw);
  const questions = new Map<string, Question>();
  const asks = new Map(live.asks);
  for (const [key, ask] of live.asks) {
    if (ask.nextMs > now) continue;
    if (!isAskedLately(ask, now)) questions.set(key, questionOf(ask.name, ask.type, ask.unicast));
    asks.set(key, asked(ask, now));
  }
  const renewed = withEach(live.cache, (cached) => {
    if (refreshMs(live, cached) > now) return cached;
    const { name, data } = cached.record;
    const key = askKey(name, typeOf(data));
    const ask = asks.get(key);
    if (!questions.has(key) && !isAskedLately(ask, now)) {
      questions.set(key, questionOf(name, typeOf(data), false));
      if (ask !== undefined) asks.set(key, { ...ask, askedMs: now });
    }
    return { ...cached, refreshes: cached.refreshes + 1, refreshedMs: now };
  });
  const isUnicast = [...questions.values()].some((question) => question.unicastResponse);
  const unicastUntilMs = isUnicast ? now + unicastAnswersMs : live.unicastUntilMs;
  const next = withDueMs({ ...live, asks, cache: renewed, unicastUntilMs });
  return { state: next, actions: queriesOf(next, [...questions.values()], now) };
}

/** So few questions in each that, save for the longest names, a packet carries them with what is known. */
function queriesOf(state: QuerierState, questions: readonly Question[], now: number): readonly SendAction[] {
  const actions: SendAction[] = [];
  for (let start = 0; start < questions.length; start += mdnsQuestionsPerQueryMax) {
    const some = questions.slice(start, start + mdnsQuestionsPerQueryMax);
    const answers = some.flatMap(({ name, type }) => knownAnswers(state.cache, name, type, now));
    actions.push({ kind: 'send', message: query({ questions: some, answers }) });
  }
  return actions;
}

/**
 * RFC 6762 §7.1: the shared records that we know for at least half their lifetime more, so that nobody need say them.
 * Of unique ones there is only one answer, and whoever knows it does not ask.
 */
function knownAnswers(cache: RecordCache, name: Name, type: number, now: number): readonly ResourceRecord[] {
  return lookUp(cache, name, type)
    .filter((cached) => !cached.record.cacheFlush && cached.expiresMs - now > cached.lifetimeMs / 2)
    .map(({ record, expiresMs }) => ({ ...record, ttlSeconds: Math.floor((expiresMs - now) / 1000) }));
}

/** When a record's renewal is to be asked for; a denial is not renewed, its absence makes a question of its own. */
function refreshMs(state: QuerierState, cached: CachedRecord): number {
  const part = refreshParts[cached.refreshes];
  if (part === undefined || cached.record.data.kind === 'nsec') return Number.POSITIVE_INFINITY;
  const atMs = Math.max(
    cached.receivedMs + cached.lifetimeMs * (part + state.refreshDraw * refreshPartSpread),
    cached.refreshedMs + refreshIntervalMs,
  );
  return atMs < cached.expiresMs ? atMs : Number.POSITIVE_INFINITY;
}

function questionOf(name: Name, type: number, unicastResponse: boolean): Question {
  return { name, type, class: classInternet, unicastResponse };
}
