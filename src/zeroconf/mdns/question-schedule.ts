import { type Name, nameKey } from '../dns/name.ts';

/** RFC 6762 §5.2: the first question after 20–120 ms, the second a second later, then twice as long each time. */
const firstDelayMs = { least: 20, span: 100 };
const firstIntervalMs = 1000;
const intervalMsMax = 3_600_000;

/** One question that is asked again and again until it has its answer, or for as long as somebody wants to know. */
export interface Ask {
  readonly name: Name;
  readonly type: number;
  readonly nextMs: number;
  readonly intervalMs: number;
  readonly askedMs: number;
  /** Whether the next one asks for an answer to us alone (RFC 6762 §5.4). */
  readonly unicast: boolean;
}

/** `draw` from [0, 1) keeps hosts that begin at one moment apart. */
export function firstAsk(name: Name, type: number, now: number, draw: number, unicast = false): Ask {
  const nextMs = now + firstDelayMs.least + draw * firstDelayMs.span;
  return {
    name,
    type,
    nextMs,
    intervalMs: firstIntervalMs,
    askedMs: Number.NEGATIVE_INFINITY,
    unicast,
  };
}

/** The question after it was asked now. */
export function asked(ask: Ask, now: number): Ask {
  const intervalMs = Math.min(ask.intervalMs * 2, intervalMsMax);
  return { ...ask, nextMs: now + ask.intervalMs, intervalMs, askedMs: now, unicast: false };
}

/** Whether it was asked so lately that its answers may still come, and nobody should ask again. */
export function isAskedLately(ask: Ask | undefined, now: number): boolean {
  return ask !== undefined && now - ask.askedMs < firstIntervalMs;
}

/** Whether the second half of its wait has begun: then a question of somebody else can stand for ours. */
export function isNear(ask: Ask, now: number): boolean {
  return ask.nextMs - now <= Math.max(firstIntervalMs, ask.intervalMs / 4);
}

export function askKey(name: Name, type: number): string {
  return `${nameKey(name)}/${type}`;
}
