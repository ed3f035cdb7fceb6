import type { SlotsState } from '../../ports/boot-slots.ts';
import {
  isActivated,
  newRecord,
  otherStarts,
  type Standing,
  stagedAgain,
  type UpdateAction,
  type UpdateState,
  type UpdateStep,
} from './update-machine.ts';
import { compareVersions } from './update-policy.ts';
import type { ProvenSlot, UpdateMemory, UpdateRecord } from './update-record.ts';

/**
 * What a box that has just started makes of what it remembers (docs/updates.md, What is remembered). Whether a system is
 * on trial is told by which of the two was proven, never by the absence of a record: a record may be lost.
 */
export function updateAtStart(
  memory: UpdateMemory,
  slots: SlotsState,
  { version, alone }: { readonly version: string; readonly alone: boolean },
): UpdateStep {
  const running: ProvenSlot = { slot: slots.booted, version };
  const { proven } = memory;
  const record = memory.record === 'damaged' ? undefined : memory.record;
  const standing = standingOf(running, proven, record);
  const state: UpdateState = { running, standing, proven, record, percent: 0, alone };
  if (standing === 'trial') {
    if (isInstalledElsewhere(record, running)) return step(state);
    // What said that it was installed is lost.
    return keep({ ...state, record: newRecord({ version, phase: 'installed', slot: proven?.slot ?? null }) });
  }
  if (record !== undefined && record.slot === running.slot && isPending(record)) {
    return afterInstallation(state, record, slots);
  }
  if (standing === 'fallback') return fallenBack(state, slots);
  // It has passed its trial; a power cut came before the record of it went.
  if (isInstalledElsewhere(record, running)) return keep({ ...state, record: undefined });
  if (record?.phase !== 'rolled-back') return step(state);
  // What once did not start runs again, and is proven.
  if (record.version === version && standing === 'proven') return keep({ ...state, record: undefined });
  // The mark may have been missed by a power cut.
  return step(
    state,
    ...(record.slot === running.slot && otherStarts(slots) ? (['mark other bad'] as const) : []),
  );
}

function standingOf(
  running: ProvenSlot,
  proven: ProvenSlot | undefined,
  record: UpdateRecord | undefined,
): Standing {
  if (proven?.slot === running.slot && proven.version === running.version) return 'proven';
  if (isInstalledElsewhere(record, running)) return 'trial';
  // What was proven in this slot was overwritten by somebody who could not write that down.
  if (proven === undefined || proven.slot === running.slot) return 'first';
  return compareVersions(running.version, proven.version) > 0 ? 'trial' : 'fallback';
}

/** The system that was installed runs, or its record was left behind. */
function isInstalledElsewhere(record: UpdateRecord | undefined, running: ProvenSlot): boolean {
  return record !== undefined && isPending(record) && record.slot !== running.slot;
}

/** The system that installed runs: still, or again. */
function afterInstallation(state: UpdateState, record: UpdateRecord, slots: SlotsState): UpdateStep {
  const sameStart = record.bootId === slots.bootId;
  if (record.phase === 'installed') {
    // The program was started again, not the machine.
    if (sameStart) return step(state);
    const reason = record.reason ?? 'it did not start';
    return keep({ ...state, record: { ...record, phase: 'rolled-back', reason } }, 'mark other bad');
  }
  if (slots.busy) return step(state, 'watch installer');
  if (sameStart && isActivated(slots)) {
    return keep({ ...state, record: { ...record, phase: 'installed' } }, 'restart machine');
  }
  return keep({ ...state, record: stagedAgain(record, 'it was interrupted') });
}

/**
 * The proven system was not started: people are to hear of it, as of an update that did not work. Where the boot loader
 * would start it, it has only forgotten which one it was, and is told, once.
 */
function fallenBack(state: UpdateState, slots: SlotsState): UpdateStep {
  const { record, proven } = state;
  const version = proven?.version ?? '';
  if (record?.phase === 'rolled-back' && record.version === version) return step(state);
  const isForgotten = otherStarts(slots);
  const then: readonly UpdateAction[] = isForgotten ? ['start other'] : [];
  // What waits goes on waiting, and tells of it.
  if (record?.phase === 'staged') {
    const why = isForgotten ? 'was forgotten by the boot loader' : 'did not start any more';
    const reason = `version ${version} ${why}`.slice(0, 200);
    return record.reason === reason
      ? step(state)
      : keep({ ...state, record: { ...record, reason } }, ...then);
  }
  const reason = isForgotten ? 'the boot loader had forgotten it' : 'it did not start any more';
  return keep({ ...state, record: newRecord({ version, phase: 'rolled-back', reason }) }, ...then);
}

function isPending({ phase }: UpdateRecord): boolean {
  return phase === 'installing' || phase === 'installed';
}

function step(state: UpdateState, ...actions: readonly UpdateAction[]): UpdateStep {
  return { state, actions };
}

function keep(state: UpdateState, ...then: readonly UpdateAction[]): UpdateStep {
  return step(state, 'keep', ...then);
}
