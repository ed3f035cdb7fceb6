import type { SlotsState } from '../../ports/boot-slots.ts';
import { noUpdate, type UpdateFacts } from '../../status/facts.ts';
import type { UpdateRecord } from './update-record.ts';

/** Where a box stands with an update. `trial`: a new version runs that has not yet shown that it works. */
export interface UpdateState {
  readonly record: UpdateRecord | undefined;
  readonly trial: boolean;
  readonly percent: number;
}

export type UpdateEvent =
  /** A bundle was found good, here or on another box. */
  | {
      readonly type: 'found';
      readonly version: string;
      readonly from: string | null;
      readonly atMs: number | null;
    }
  /** It is gone from where it was. */
  | { readonly type: 'lost' }
  | { readonly type: 'begin'; readonly slots: SlotsState; readonly hasPeers: boolean }
  | { readonly type: 'progress'; readonly percent: number }
  | { readonly type: 'installed' }
  | { readonly type: 'failed'; readonly reason: string }
  /** The new version has shown that it works. */
  | { readonly type: 'good' }
  /** It has not within its time. */
  | { readonly type: 'given up'; readonly reason: string };

/** `keep`: the record is to be durable before anything else is done. */
export type UpdateAction = 'keep' | 'mark good' | 'restart machine';

export interface UpdateStep {
  readonly state: UpdateState;
  readonly actions: readonly UpdateAction[];
}

/**
 * What a box that has just started makes of what it remembers. Whether a new version runs is told by which system was
 * started, not by its number: the same version may be installed twice. A record that a power cut left behind says
 * `installing` when the installer had ended, too.
 */
export function updateAtStart(record: UpdateRecord | undefined, slots: SlotsState): UpdateStep {
  const idle: UpdateState = { record, trial: false, percent: 0 };
  if (record === undefined || record.phase === 'staged' || record.phase === 'rolled-back') {
    return { state: idle, actions: [] };
  }
  if (record.slot !== slots.booted) return { state: { ...idle, trial: true }, actions: [] };
  // The program was started again, not the machine.
  if (record.bootId === slots.bootId && record.phase === 'installed') return { state: idle, actions: [] };
  if (record.phase === 'installing') {
    return keep({ ...idle, record: stagedAgain(record, 'it was interrupted') });
  }
  return keep({
    ...idle,
    record: { ...record, phase: 'rolled-back', reason: record.reason ?? 'it did not start' },
  });
}

export function stepUpdate(state: UpdateState, event: UpdateEvent): UpdateStep {
  const { record } = state;
  switch (event.type) {
    case 'found':
      if (isBusy(state)) return unchanged(state);
      return keep({
        ...state,
        record: { ...nothing, version: event.version, from: event.from, atMs: event.atMs },
      });
    case 'lost':
      return record?.phase === 'staged' ? keep({ ...state, record: undefined }) : unchanged(state);
    case 'begin': {
      if (record === undefined || isBusy(state)) return unchanged(state);
      const { booted, bootId } = event.slots;
      const hadPeers = event.hasPeers;
      return keep({
        ...state,
        percent: 0,
        record: { ...record, phase: 'installing', slot: booted, bootId, hadPeers, atMs: null, reason: null },
      });
    }
    case 'progress':
      return unchanged(record?.phase === 'installing' ? { ...state, percent: event.percent } : state);
    case 'installed':
      if (record?.phase !== 'installing') return unchanged(state);
      return keep({ ...state, record: { ...record, phase: 'installed' } }, 'restart machine');
    case 'failed':
      return record?.phase === 'installing'
        ? keep({ ...state, record: stagedAgain(record, event.reason) })
        : unchanged(state);
    case 'good':
      // Marked first: a power cut between the two leaves a trial, which passes again.
      return state.trial
        ? { state: { record: undefined, trial: false, percent: 0 }, actions: ['mark good', 'keep'] }
        : { state, actions: ['mark good'] };
    case 'given up':
      if (!state.trial || record === undefined) return unchanged(state);
      return keep({ ...state, record: { ...record, reason: event.reason } }, 'restart machine');
  }
}

/** Nothing else may be staged or begun. */
export function isBusy({ record, trial }: UpdateState): boolean {
  return trial || record?.phase === 'installing' || record?.phase === 'installed';
}

export function updateFacts({ record, trial, percent }: UpdateState): UpdateFacts {
  if (record === undefined) return noUpdate;
  const { phase, version, reason } = record;
  if (trial) return { state: 'trial', version, progressPercent: null, reason: null };
  const state = phase === 'installed' ? 'restart-due' : phase;
  return { state, version, progressPercent: phase === 'installing' ? percent : null, reason };
}

const nothing = {
  v: 1,
  phase: 'staged',
  slot: null,
  bootId: null,
  hadPeers: false,
  reason: null,
} as const;

function stagedAgain(record: UpdateRecord, reason: string): UpdateRecord {
  return { ...record, phase: 'staged', slot: null, bootId: null, atMs: null, reason };
}

function keep(state: UpdateState, ...then: readonly UpdateAction[]): UpdateStep {
  return { state, actions: ['keep', ...then] };
}

function unchanged(state: UpdateState): UpdateStep {
  return { state, actions: [] };
}
