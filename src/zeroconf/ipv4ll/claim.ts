import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { type ArpPacket, isProbeFor } from './arp-packet.ts';
import { candidateAddress } from './candidate.ts';

/** RFC 3927 §9. */
const probeWaitMs = 1000;
const probeCount = 3;
const probeMs = { least: 1000, span: 1000 };
const announceWaitMs = 2000;
const announceCount = 2;
const announceIntervalMs = 2000;
const conflictsMax = 10;
const rateLimitIntervalMs = 60_000;
const defendIntervalMs = 10_000;

/** One interface's way to an address of its own, and the defence of it (RFC 3927 §2). */
export interface ClaimState {
  readonly mac: Bytes;
  /** `off`: no address is wanted, or the link is down. */
  readonly phase: 'off' | 'probing' | 'claimed';
  /** The address asked about, or held; kept while off, to be the first one tried again. */
  readonly address: string;
  /** Which of the MAC's sequence of candidates comes next. */
  readonly nextCandidate: number;
  readonly probesSent: number;
  readonly announcementsSent: number;
  /** When the next `tick` is due, if any. */
  readonly nextMs: number | undefined;
  /** Since an address was last claimed (§2.2.1). */
  readonly conflicts: number;
  /** When the held address was last defended. */
  readonly defendedMs: number | undefined;
  /** For a person to see: all there were, and who was the last. */
  readonly conflictsSeen: number;
  readonly lastRival: Bytes | undefined;
}

/** Draws are from [0, 1). */
export type ClaimEvent =
  /** An address is wanted, and the link is up. */
  | { readonly kind: 'start'; readonly draw: number }
  /** The link is down, or no address is wanted any more. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'tick'; readonly draw: number }
  /** What was claimed could not be put on the interface, for now. */
  | { readonly kind: 'refused'; readonly draw: number }
  | { readonly kind: 'arp'; readonly packet: ArpPacket; readonly draw: number };

export type ClaimAction =
  | { readonly kind: 'probe'; readonly address: string }
  /** Nobody has it: put it on the interface. An announcement follows. */
  | { readonly kind: 'claimed'; readonly address: string }
  | { readonly kind: 'announce'; readonly address: string }
  /** Take it off the interface at once. */
  | { readonly kind: 'lost'; readonly address: string };

export interface ClaimStep {
  readonly state: ClaimState;
  readonly actions: readonly ClaimAction[];
}

/** `lastGood`: the address this interface had last, to be tried first (§2.1). */
export function newClaim(mac: Bytes, lastGood?: string): ClaimState {
  return {
    mac,
    phase: 'off',
    address: lastGood ?? candidateAddress(mac, 0),
    nextCandidate: lastGood === undefined ? 1 : 0,
    probesSent: 0,
    announcementsSent: 0,
    nextMs: undefined,
    conflicts: 0,
    defendedMs: undefined,
    conflictsSeen: 0,
    lastRival: undefined,
  };
}

export function claimStep(state: ClaimState, event: ClaimEvent, now: number): ClaimStep {
  switch (event.kind) {
    case 'start':
      return state.phase === 'off' ? { state: probing(state, now, event.draw), actions: [] } : same(state);
    case 'stop':
      return {
        state: { ...state, phase: 'off', nextMs: undefined },
        actions: state.phase === 'claimed' ? [{ kind: 'lost', address: state.address }] : [],
      };
    case 'tick':
      return state.nextMs === undefined || now < state.nextMs ? same(state) : onTick(state, event.draw, now);
    // As seldom as after conflicts: each try is seen by all on the link.
    case 'refused':
      return state.phase === 'off'
        ? same(state)
        : { state: probing(state, now, event.draw, rateLimitIntervalMs), actions: [] };
    case 'arp':
      return onArp(state, event.packet, event.draw, now);
  }
}

/** §2.2.1: a random wait, three probes at random distances, and a wait for the last one's answers. */
function probing(state: ClaimState, now: number, draw: number, delayMs = 0): ClaimState {
  return {
    ...state,
    phase: 'probing',
    probesSent: 0,
    announcementsSent: 0,
    defendedMs: undefined,
    nextMs: now + delayMs + draw * probeWaitMs,
  };
}

function onTick(state: ClaimState, draw: number, now: number): ClaimStep {
  const { address } = state;
  if (state.phase === 'claimed') return announced(state, now, []);
  if (state.probesSent === probeCount) {
    const claimed: ClaimState = { ...state, phase: 'claimed', conflicts: 0 };
    return announced(claimed, now, [{ kind: 'claimed', address }]);
  }
  const probesSent = state.probesSent + 1;
  const waitMs = probesSent === probeCount ? announceWaitMs : probeMs.least + draw * probeMs.span;
  return {
    state: { ...state, probesSent, nextMs: now + waitMs },
    actions: [{ kind: 'probe', address }],
  };
}

/** §2.4. */
function announced(state: ClaimState, now: number, before: readonly ClaimAction[]): ClaimStep {
  const announcementsSent = state.announcementsSent + 1;
  const nextMs = announcementsSent < announceCount ? now + announceIntervalMs : undefined;
  return {
    state: { ...state, announcementsSent, nextMs },
    actions: [...before, { kind: 'announce', address: state.address }],
  };
}

function onArp(state: ClaimState, packet: ArpPacket, draw: number, now: number): ClaimStep {
  if (state.phase === 'off' || equalBytes(packet.senderMac, state.mac)) return same(state);
  const says = packet.senderAddress === state.address;
  if (state.phase === 'claimed') return says ? onRival(state, packet, draw, now) : same(state);
  if (!says && !isProbeFor(packet, state.address)) return same(state);
  const next = withNextCandidate(state, packet);
  // One that was not probed for yet gives way without moving the time of the next probe.
  if (state.probesSent === 0) return same(next);
  return { state: probing(next, now, draw, pauseMs(next)), actions: [] };
}

/** §2.5: defended once; whoever comes again within ten seconds may have it. */
function onRival(state: ClaimState, packet: ArpPacket, draw: number, now: number): ClaimStep {
  const { address, defendedMs } = state;
  if (defendedMs === undefined || now - defendedMs >= defendIntervalMs) {
    const seen = { conflictsSeen: state.conflictsSeen + 1, lastRival: packet.senderMac };
    return { state: { ...state, ...seen, defendedMs: now }, actions: [{ kind: 'announce', address }] };
  }
  const next = withNextCandidate(state, packet);
  return { state: probing(next, now, draw, pauseMs(next)), actions: [{ kind: 'lost', address }] };
}

function withNextCandidate(state: ClaimState, { senderMac }: ArpPacket): ClaimState {
  return {
    ...state,
    address: candidateAddress(state.mac, state.nextCandidate),
    nextCandidate: state.nextCandidate + 1,
    conflicts: state.conflicts + 1,
    conflictsSeen: state.conflictsSeen + 1,
    lastRival: senderMac,
  };
}

/** §2.2.1: after more than ten conflicts, one new address a minute. */
function pauseMs({ conflicts }: ClaimState): number {
  return conflicts > conflictsMax ? rateLimitIntervalMs : 0;
}

function same(state: ClaimState): ClaimStep {
  return { state, actions: [] };
}
