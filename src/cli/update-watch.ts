import { hasCode } from '../base/errors.ts';
import { gateCrashFreeMs } from '../base/face-limits.ts';
import { printable } from '../base/format.ts';
import type { ApplianceStatus } from '../status/appliance-status.ts';

/** What is known of a box that installs an update, from one look at it to the next. */
export interface UpdateWatch {
  readonly box: string;
  readonly version: string;
  /** How long the box had run at the first look after the update had begun. */
  readonly uptimeMs: number;
  /** It has not answered at some time. */
  readonly wasAway: boolean;
  /** It has said that it starts into the new version next. */
  readonly isDue: boolean;
}

export interface WatchStep {
  readonly watch: UpdateWatch;
  /** What goes on, for a person; undefined: nothing that they do not know. */
  readonly said: string | undefined;
  /** The update has ended, one way or the other. */
  readonly ended: boolean;
}

/** `status`: the first of `box` after the installation had begun. */
export function startWatch(box: string, { box: { uptimeMs }, update }: ApplianceStatus): UpdateWatch {
  return { box, version: update.version ?? '', uptimeMs, wasAway: false, isDue: false };
}

/** `now`: undefined when the box does not answer. It goes away in the middle of an update, and comes back. */
export function stepWatch(before: UpdateWatch, now: ApplianceStatus | undefined): WatchStep {
  const name = printable(before.box);
  const version = `version ${printable(before.version)}`;
  const goesOn = (changes: Partial<UpdateWatch>, said: string): WatchStep => ({
    watch: { ...before, ...changes },
    said,
    ended: false,
  });
  if (now === undefined) {
    // One that writes to a slow card may just be late.
    const said = before.isDue ? `${name} starts into ${version}` : `${name} does not answer at the moment`;
    return goesOn({ wasAway: true }, said);
  }
  const { state, progressPercent } = now.update;
  switch (state) {
    case 'installing':
      return goesOn({ isDue: false }, `Installing ${version}: ${progressPercent ?? 0}%`);
    case 'restart-due':
      return goesOn({ isDue: true }, `${name} starts into ${version}`);
    case 'trial':
      return goesOn({ isDue: false }, `The new ${version} runs and is being watched`);
    case 'staged':
    case 'rolled-back':
      return { watch: before, said: undefined, ended: true };
    case 'none':
      return { watch: before, said: undefined, ended: hasSettled(before, now) };
  }
}

/** Before that no trial can have ended: it is not known yet. */
function hasSettled({ uptimeMs, wasAway, version }: UpdateWatch, { box }: ApplianceStatus): boolean {
  const restarted = box.uptimeMs < uptimeMs || wasAway;
  return restarted && box.version === version && box.phase === 'running' && box.uptimeMs >= gateCrashFreeMs;
}

/** What `box`, which refuses to begin, is going to have soon, for a person; undefined: it refuses for good. */
export function refusedForNow(refusal: unknown, box: string): string | undefined {
  if (hasCode(refusal, 'UPDATER_UNAVAILABLE')) return `The updater of ${box} does not answer yet`;
  if (hasCode(refusal, 'UPDATE_UNPROVEN')) return `${box} first shows that the version that runs works`;
  return undefined;
}
