import type { ResourceRecord } from '../dns/message.ts';

/** RFC 6762 §8.3 asks for two to eight. A third, two seconds after the second, finds whom a lossy link kept from us. */
const announcementsSent = 3;
const firstIntervalMs = 1000;

/** Unsolicited responses that are still to be sent for some records. */
export interface AnnouncerState {
  readonly records: readonly ResourceRecord[];
  readonly sent: number;
  readonly nextMs: number;
}

export interface AnnouncerStep {
  /** Undefined when the last announcement was made. */
  readonly state: AnnouncerState | undefined;
  readonly announce: readonly ResourceRecord[];
}

export function startAnnouncing(records: readonly ResourceRecord[], atMs: number): AnnouncerState {
  return { records, sent: 0, nextMs: atMs };
}

/** Announces when due: at once, after one second, and each time after twice as long (RFC 6762 §8.3). */
export function announcerStep(state: AnnouncerState, now: number): AnnouncerStep {
  if (now < state.nextMs) return { state, announce: [] };
  const sent = state.sent + 1;
  if (sent === announcementsSent) return { state: undefined, announce: state.records };
  const nextMs = now + firstIntervalMs * 2 ** (sent - 1);
  return { state: { ...state, sent, nextMs }, announce: state.records };
}
