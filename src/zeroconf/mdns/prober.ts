import { encodeMessage } from '../dns/encoder.ts';
import {
  classAny,
  classInternet,
  type Message,
  type Question,
  query,
  type ResourceRecord,
  recordType,
} from '../dns/message.ts';
import { type Name, sameName } from '../dns/name.ts';
import { compareProposals, recordKey } from './records.ts';

/** RFC 6762 §8.1: a random wait, three probes, and as long again for the last one's answers. */
const probeDelayMsMax = 250;
const probeIntervalMs = 250;
const probesNeeded = 3;
/** RFC 6762 §8.2: how long the loser of a tie-break waits before it asks for the same name again. */
const tieBreakLostMs = 1000;

/** A name we want alone, and the records that we would have under it. */
export interface Claim {
  readonly name: Name;
  readonly records: readonly ResourceRecord[];
}

/** One name's way to being ours on one link. */
export interface ProberState {
  readonly claim: Claim;
  readonly probesSent: number;
  /** When the next probe, or the end of probing, is due. */
  readonly nextMs: number;
}

export type ProberEvent = { readonly kind: 'tick' } | { readonly kind: 'message'; readonly message: Message };

/**
 * `probe`: send question and proposal. `claimed`: the name is ours. `conflict`: somebody has it, choose another.
 * `deferred`: a simultaneous prober won; the same name is asked for again a second later.
 */
export type ProberAction = 'probe' | 'claimed' | 'conflict' | 'deferred';

export interface ProberStep {
  readonly state: ProberState;
  readonly action?: ProberAction;
}

/** `draw` from [0, 1) chooses the wait before the first probe; `delayMs` is added to it (RFC 6762 §8.1). */
export function startProbing(claim: Claim, now: number, draw: number, delayMs = 0): ProberState {
  return { claim, probesSent: 0, nextMs: now + delayMs + draw * probeDelayMsMax };
}

export function proberStep(state: ProberState, event: ProberEvent, now: number): ProberStep {
  if (event.kind === 'tick') return onTick(state, now);
  return event.message.response ? onResponse(state, event.message) : onQuery(state, event.message, now);
}

/**
 * The probes of several names, together where a packet carries them: a question and all of its proposals in one packet,
 * since a tie is broken with nothing but that (RFC 6762 §8.1, §8.2). `bytesMax` of a packet.
 */
export function probeMessages(claims: readonly Claim[], bytesMax: number): readonly Message[] {
  const messages: Message[] = [];
  let together: Claim[] = [];
  for (const claim of claims) {
    const isTooLarge = encodeMessage(probeMessage([...together, claim])).length > bytesMax;
    if (isTooLarge && together.length > 0) messages.push(probeMessage(together));
    together = isTooLarge ? [claim] : [...together, claim];
  }
  return together.length === 0 ? messages : [...messages, probeMessage(together)];
}

function probeMessage(claims: readonly Claim[]): Message {
  return query({ questions: claims.map(probeQuestion), authorities: claims.flatMap(probeAuthorities) });
}

function probeQuestion(claim: Claim): Question {
  return { name: claim.name, type: recordType.any, class: classInternet, unicastResponse: true };
}

/** The proposal for the authority section: without the cache-flush bit (RFC 6762 §8.1, §10.2). */
function probeAuthorities(claim: Claim): readonly ResourceRecord[] {
  return claim.records.map((record) => ({ ...record, cacheFlush: false }));
}

function onTick(state: ProberState, now: number): ProberStep {
  if (now < state.nextMs) return { state };
  if (state.probesSent === probesNeeded) return { state, action: 'claimed' };
  const probed = { ...state, probesSent: state.probesSent + 1, nextMs: now + probeIntervalMs };
  return { state: probed, action: 'probe' };
}

/** RFC 6762 §8.1: what was heard before our first probe may be stale, and does not count. */
function onResponse(state: ProberState, message: Message): ProberStep {
  if (state.probesSent === 0) return { state };
  const ours = new Set(state.claim.records.map(recordKey));
  const conflict = [...message.answers, ...message.authorities, ...message.additionals].some(
    (record) =>
      record.class === classInternet &&
      record.ttlSeconds > 0 &&
      sameName(record.name, state.claim.name) &&
      !ours.has(recordKey(record)),
  );
  return conflict ? { state, action: 'conflict' } : { state };
}

function onQuery(state: ProberState, message: Message, now: number): ProberStep {
  const asked = message.questions.some(
    (question) =>
      sameName(question.name, state.claim.name) &&
      (question.class === classInternet || question.class === classAny),
  );
  const theirs = message.authorities.filter((record) => sameName(record.name, state.claim.name));
  if (!asked || theirs.length === 0) return { state };
  if (compareProposals(state.claim.records, theirs) >= 0) return { state };
  return { state: { ...state, probesSent: 0, nextMs: now + tieBreakLostMs }, action: 'deferred' };
}
