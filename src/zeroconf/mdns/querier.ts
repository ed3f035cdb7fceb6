import { mdnsInstancesMax } from '../../base/limits.ts';
import type { DatagramAddress } from '../../ports/datagram.ts';
import {
  classInternet,
  type Message,
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
  expire,
  lookUp,
  type RecordCache,
  receive,
  refreshed,
} from './cache.ts';
import { mdnsPort, recordKey } from './records.ts';
import type { SendAction } from './responder.ts';

/** RFC 6762 §5.2: the first question after 20–120 ms, the second a second later, then twice as long each time. */
const firstDelayMs = { least: 20, span: 100 };
const firstIntervalMs = 1000;
const intervalMsMax = 3_600_000;
/** RFC 6762 §5.2: renewal is asked for at these parts of a lifetime, and up to 2% later. */
const refreshParts = [0.8, 0.85, 0.9, 0.95];
const refreshPartSpread = 0.02;

/** One service type being browsed on one link, down to the addresses of the hosts that offer it. */
export interface QuerierState {
  /** `['_aetherstore', '_tcp', 'local']`. */
  readonly type: Name;
  readonly cache: RecordCache;
  /** Questions without an answer yet, and the one for the type, which is never done; by name and type. */
  readonly asks: ReadonlyMap<string, Ask>;
  /** From [0, 1): chooses this querier's place within the spread of renewals. */
  readonly refreshDraw: number;
}

interface Ask {
  readonly name: Name;
  readonly type: number;
  readonly nextMs: number;
  readonly intervalMs: number;
}

export type QuerierEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly message: Message; readonly from: DatagramAddress };

export interface QuerierStep {
  readonly state: QuerierState;
  readonly actions: readonly SendAction[];
}

/** `draw` from [0, 1). */
export function startQuerying(type: Name, now: number, draw: number): QuerierState {
  const first: Ask = {
    name: type,
    type: recordType.ptr,
    nextMs: now + firstDelayMs.least + draw * firstDelayMs.span,
    intervalMs: firstIntervalMs,
  };
  return { type, cache: emptyCache, asks: new Map([[askKey(first), first]]), refreshDraw: draw };
}

export function querierStep(state: QuerierState, event: QuerierEvent, now: number): QuerierStep {
  if (event.kind === 'tick') return onTick(state, now);
  const { message, from } = event;
  if (message.opcode !== 0 || message.rcode !== 0 || from.port !== mdnsPort) return { state, actions: [] };
  if (!message.response) return { state: withQuestionsOfOthers(state, message, now), actions: [] };
  return { state: withAsks({ ...state, cache: receiveWanted(state, message, now) }, now), actions: [] };
}

/** When the next `tick` is due. */
export function querierDueMs(state: QuerierState): number {
  const asks = [...state.asks.values()].map((ask) => ask.nextMs);
  const records = [...state.cache.records.values()].map((cached) =>
    Math.min(cached.expiresMs, refreshMs(state, cached)),
  );
  return Math.min(...asks, ...records);
}

/** Whether `name` is known to have no record of `type` (RFC 6762 §6.1). */
function isDenied(cache: RecordCache, name: Name, type: number): boolean {
  return lookUp(cache, name, recordType.nsec).some(
    ({ record }) => record.data.kind === 'nsec' && !record.data.types.includes(type),
  );
}

/** The names that the browsed type's records lead to: first instances, then hosts. */
function instancesIn(state: QuerierState, cache: RecordCache): readonly Name[] {
  const pointers = lookUp(cache, state.type, recordType.ptr).slice(0, mdnsInstancesMax);
  return pointers.flatMap(({ record }) => (record.data.kind === 'ptr' ? [record.data.target] : []));
}

function hostsIn(cache: RecordCache): readonly Name[] {
  return [...cache.records.values()].flatMap(({ record }) =>
    record.data.kind === 'srv' ? [record.data.target] : [],
  );
}

/** Caches only what leads from the browsed type to addresses, in that order, so that strangers cannot fill it. */
function receiveWanted(state: QuerierState, message: Message, now: number): RecordCache {
  const said = [...message.answers, ...message.additionals].filter(
    (record) => record.class === classInternet,
  );
  const about = (names: readonly Name[], types: readonly number[]): readonly ResourceRecord[] => {
    const keys = new Set(names.map(nameKey));
    return said.filter((record) => types.includes(typeOf(record.data)) && keys.has(nameKey(record.name)));
  };
  let cache = receive(state.cache, about([state.type], [recordType.ptr]), now);
  const { srv, txt, nsec, a, aaaa } = recordType;
  cache = receive(cache, about(instancesIn(state, cache), [srv, txt, nsec]), now);
  return receive(cache, about(hostsIn(cache), [a, aaaa, nsec]), now);
}

/** The questions whose answers are missing; one that was being asked keeps its place in time. */
function withAsks(state: QuerierState, now: number): QuerierState {
  const wanted: { name: Name; type: number }[] = [{ name: state.type, type: recordType.ptr }];
  const want = (name: Name, types: readonly number[]) => {
    for (const type of types) {
      const isKnown = lookUp(state.cache, name, type).length > 0 || isDenied(state.cache, name, type);
      if (!isKnown) wanted.push({ name, type });
    }
  };
  for (const name of instancesIn(state, state.cache)) want(name, [recordType.srv, recordType.txt]);
  for (const name of hostsIn(state.cache)) want(name, [recordType.a, recordType.aaaa]);
  const asks = new Map<string, Ask>();
  for (const one of wanted) {
    const key = askKey(one);
    asks.set(key, state.asks.get(key) ?? { ...one, nextMs: now, intervalMs: firstIntervalMs });
  }
  return { ...state, asks };
}

function onTick(state: QuerierState, now: number): QuerierStep {
  const live = withAsks({ ...state, cache: expire(state.cache, now) }, now);
  const questions = new Map<string, { name: Name; type: number }>();
  const asks = new Map(live.asks);
  for (const [key, ask] of live.asks) {
    if (ask.nextMs > now) continue;
    questions.set(key, ask);
    asks.set(key, asked(ask, now));
  }
  const renewals = [...live.cache.records.values()].filter((cached) => refreshMs(live, cached) <= now);
  for (const { record } of renewals) {
    const one = { name: record.name, type: typeOf(record.data) };
    if (one.type !== recordType.nsec) questions.set(askKey(one), one);
  }
  const cache = refreshed(live.cache, renewals);
  const next = { ...live, asks, cache };
  if (questions.size === 0) return { state: next, actions: [] };
  const message = query({
    questions: [...questions.values()].map(({ name, type }) => questionOf(name, type)),
    answers: [...questions.values()].flatMap(({ name, type }) => knownAnswers(next.cache, name, type, now)),
  });
  return { state: next, actions: [{ kind: 'send', message }] };
}

/** RFC 6762 §7.1: what we know for at least half its lifetime more, so that nobody need say it. */
function knownAnswers(cache: RecordCache, name: Name, type: number, now: number): readonly ResourceRecord[] {
  return lookUp(cache, name, type)
    .filter((cached) => cached.expiresMs - now > cached.lifetimeMs / 2)
    .map(({ record, expiresMs }) => ({
      ...record,
      cacheFlush: false,
      ttlSeconds: Math.floor((expiresMs - now) / 1000),
    }));
}

/** RFC 6762 §7.3: a question that somebody else has just asked, knowing no more than we do, counts as ours. */
function withQuestionsOfOthers(state: QuerierState, message: Message, now: number): QuerierState {
  if (message.truncated || message.answers.some((record) => !state.cache.records.has(recordKey(record))))
    return state;
  const asks = new Map(state.asks);
  for (const [key, ask] of state.asks) {
    const isAsked = message.questions.some(
      (question) =>
        !question.unicastResponse && question.type === ask.type && sameName(question.name, ask.name),
    );
    if (isAsked) asks.set(key, asked(ask, now));
  }
  return { ...state, asks };
}

function asked(ask: Ask, now: number): Ask {
  return { ...ask, nextMs: now + ask.intervalMs, intervalMs: Math.min(ask.intervalMs * 2, intervalMsMax) };
}

function refreshMs(state: QuerierState, cached: CachedRecord): number {
  const part = refreshParts[cached.refreshes];
  if (part === undefined) return Number.POSITIVE_INFINITY;
  return cached.receivedMs + cached.lifetimeMs * (part + state.refreshDraw * refreshPartSpread);
}

function questionOf(name: Name, type: number): Question {
  return { name, type, class: classInternet, unicastResponse: false };
}

function askKey(ask: { readonly name: Name; readonly type: number }): string {
  return `${nameKey(ask.name)}/${ask.type}`;
}
