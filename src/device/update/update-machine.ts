import type { SlotsState } from '../../ports/boot-slots.ts';
import { noUpdate, type UpdateFacts } from '../../status/facts.ts';
import type { BoxBefore } from './health-gate.ts';
import type { ProvenSlot, UpdateRecord } from './update-record.ts';

/**
 * What is known of the system that runs. `proven`: it has shown that it works; `trial`: it was installed and has not;
 * `fallback`: the boot loader started it instead of the proven one; `first`: nothing is known of any, as on a new card.
 */
export type Standing = 'proven' | 'trial' | 'fallback' | 'first';

/** Where a box stands with an update. */
export interface UpdateState {
  readonly running: ProvenSlot;
  readonly standing: Standing;
  readonly proven: ProvenSlot | undefined;
  readonly record: UpdateRecord | undefined;
  readonly percent: number;
  /** Nothing runs but what maintains the box (safe mode): there a system that has not shown that it works may be left. */
  readonly alone: boolean;
}

export type UpdateEvent =
  /** A bundle was found good, here or on another box. */
  | {
      readonly type: 'found';
      readonly version: string;
      readonly from: string | null;
      readonly atMs: number | null;
      readonly older: boolean;
    }
  /** It is gone from where it was, or it is another one now. What is staged may be another one by now, too. */
  | ({ readonly type: 'lost' } & StagedBundle)
  | {
      readonly type: 'begin';
      readonly bootId: string;
      readonly hasPeers: boolean;
      readonly before: BoxBefore | null;
      /** The boot loader would start the other system. */
      readonly otherStarts: boolean;
    }
  /** The hour that was set has come, and it could not be begun. */
  | { readonly type: 'not begun'; readonly version: string; readonly reason: string }
  | { readonly type: 'progress'; readonly percent: number }
  | { readonly type: 'installed' }
  | { readonly type: 'failed'; readonly reason: string }
  /** The system that runs has shown that it works, and the boot loader has been told. */
  | { readonly type: 'good' }
  /** It has not within its time, and there is one to come back to. */
  | { readonly type: 'given up'; readonly reason: string };

/** What is staged: the box of the pool that has it, by member id, or null for this one; and which version. */
export type StagedBundle = Pick<UpdateRecord, 'from' | 'version'>;

/**
 * `keep`, `keep proven`: the record, or the proven slot, is to be durable before anything else is done. `start other`: the
 * machine is to start again, into the system that does not run.
 */
export type UpdateAction =
  | 'keep'
  | 'keep proven'
  | 'mark other bad'
  | 'watch installer'
  | 'start other'
  | 'restart machine';

export interface UpdateStep {
  readonly state: UpdateState;
  readonly actions: readonly UpdateAction[];
}

export function stepUpdate(state: UpdateState, event: UpdateEvent): UpdateStep {
  const { record, standing } = state;
  switch (event.type) {
    case 'found':
      if (isBusy(state)) return unchanged(state);
      return keep({ ...state, record: newRecord(event) });
    case 'lost':
      return isStaged(record, event) && record.from === event.from
        ? keep({ ...state, record: undefined })
        : unchanged(state);
    case 'begin':
      return begin(state, event);
    case 'not begun':
      return isStaged(record, event)
        ? keep({ ...state, record: stagedAgain(record, event.reason) })
        : unchanged(state);
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
      if (standing === 'proven') return unchanged(state);
      return {
        state: {
          ...state,
          standing: 'proven',
          proven: state.running,
          record: standing === 'trial' ? undefined : record,
        },
        actions: ['keep proven', 'keep'],
      };
    case 'given up':
      if (standing === 'proven' || standing === 'first') return unchanged(state);
      if (standing === 'fallback' || record === undefined) return { state, actions: ['restart machine'] };
      return keep({ ...state, record: { ...record, reason: event.reason } }, 'restart machine');
  }
}

/** The system that does not run is overwritten: if it was the proven one, none is from now on. */
function begin(state: UpdateState, event: Extract<UpdateEvent, { type: 'begin' }>): UpdateStep {
  const { record, proven, running } = state;
  if (record?.phase !== 'staged' || !mayBegin(state, event)) return unchanged(state);
  const overwritten = proven !== undefined && proven.slot !== running.slot;
  const begun: UpdateRecord = {
    ...record,
    phase: 'installing',
    slot: running.slot,
    bootId: event.bootId,
    hadPeers: event.hasPeers,
    before: event.before,
    atMs: null,
    reason: null,
  };
  return {
    state: {
      ...state,
      record: begun,
      percent: 0,
      ...(overwritten ? { proven: undefined, standing: 'first' as const } : {}),
    },
    actions: overwritten ? ['keep', 'keep proven'] : ['keep'],
  };
}

/**
 * There is something to come back to afterwards: what runs is proven, or it is all that would be started before, too. Alone
 * nobody asks: an update may be what mends the box.
 */
export function mayBegin(
  { standing, alone }: UpdateState,
  { otherStarts }: { readonly otherStarts: boolean },
): boolean {
  return standing === 'proven' || alone || !otherStarts;
}

/** Nothing else may be staged or begun. */
export function isBusy(state: UpdateState): boolean {
  if (isWatched(state)) return !state.alone;
  return state.record?.phase === 'installing' || state.record?.phase === 'installed';
}

/** What runs was installed by what is recorded, and has not shown that it works. */
function isWatched({ standing, record, running }: UpdateState): boolean {
  return standing === 'trial' && record?.phase !== 'staged' && record?.slot !== running.slot;
}

/** The machine is to start again, into what was installed. */
export function isRestartDue(state: UpdateState): boolean {
  return state.record?.phase === 'installed' && !isWatched(state);
}

/** Another system was proven than the one that runs and has not shown that it works, and the boot loader would start it. */
export function canReturn(state: UpdateState, { startable }: SlotsState): boolean {
  const { standing, proven, record, running } = state;
  if (standing === 'proven' || standing === 'first') return false;
  const before = proven?.slot ?? record?.slot ?? running.slot;
  return before !== running.slot && startable.includes(before);
}

/** The boot loader would start the system that does not run. */
export function otherStarts({ booted, startable }: SlotsState): boolean {
  return startable.some((slot) => slot !== booted);
}

/** The installer has done what it was asked for: the next start is into the other system. */
export function isActivated({ primary, booted, startable }: SlotsState): boolean {
  return primary !== null && primary !== booted && startable.includes(primary);
}

export function updateFacts(state: UpdateState): UpdateFacts {
  const { record, percent } = state;
  if (record === undefined) return noUpdate;
  const { phase, version, reason } = record;
  if (isWatched(state)) return { ...noUpdate, state: 'trial', version };
  const shown = phase === 'installed' ? 'restart-due' : phase;
  return {
    ...noUpdate,
    state: shown,
    version,
    progressPercent: phase === 'installing' ? percent : null,
    reason,
    atMs: phase === 'staged' ? record.atMs : null,
  };
}

export function newRecord(
  given: Pick<UpdateRecord, 'version'> & Partial<Omit<UpdateRecord, 'v' | 'version'>>,
): UpdateRecord {
  const { phase = 'staged', version, from = null, atMs = null, older = false, slot = null } = given;
  const { bootId = null, hadPeers = false, before = null, reason = null } = given;
  return { v: 1, phase, version, from, atMs, older, slot, bootId, hadPeers, before, reason };
}

export function stagedAgain(record: UpdateRecord, reason: string): UpdateRecord {
  const shown = reason.slice(0, 200);
  return { ...record, phase: 'staged', slot: null, bootId: null, before: null, atMs: null, reason: shown };
}

function isStaged(
  record: UpdateRecord | undefined,
  { version }: Pick<StagedBundle, 'version'>,
): record is UpdateRecord {
  return record?.phase === 'staged' && record.version === version;
}

function keep(state: UpdateState, ...then: readonly UpdateAction[]): UpdateStep {
  return { state, actions: ['keep', ...then] };
}

function unchanged(state: UpdateState): UpdateStep {
  return { state, actions: [] };
}
