import type { FoundCondition } from '../condition.ts';
import { describeMoment } from '../describe-moment.ts';
import type { ApplianceFacts, UpdateFacts } from '../facts.ts';

/** Of the version that waits, of whether this box can be updated at all, and of what a memory stick brought. */
export function updateConditions({ update }: ApplianceFacts): readonly FoundCondition[] {
  const { stickProblem } = update;
  return [...versionConditions(update), ...(stickProblem === null ? [] : [stickNotTaken(stickProblem)])];
}

function versionConditions(update: UpdateFacts): readonly FoundCondition[] {
  const { state, reason } = update;
  switch (state) {
    case 'none':
      return reason === null ? [] : [unavailable(reason)];
    case 'staged':
      return [reason === null ? ready(update) : notInstalled(update, reason)];
    case 'restart-due':
      return [restartDue(update)];
    case 'rolled-back':
      return [rolledBack(update)];
    case 'installing':
    case 'trial':
      return [];
  }
}

function unavailable(reason: string): FoundCondition {
  return {
    code: 'UPDATES_UNAVAILABLE',
    severity: 'warning',
    subject: null,
    message: `This box cannot be updated: ${reason}.`,
    help: 'Shut the box down and give it power anew; if it says so again, its card may be failing: keep what support prints.',
  };
}

function stickNotTaken(reason: string): FoundCondition {
  return {
    code: 'STICK_NOT_TAKEN',
    severity: 'warning',
    subject: null,
    message: `The update on a memory stick was not taken: ${reason}.`,
    help: 'Pull the stick, and bring another one; nothing was changed on this box.',
  };
}

function ready(update: UpdateFacts): FoundCondition {
  const { atMs } = update;
  return {
    code: 'UPDATE_WAITING',
    severity: 'notice',
    subject: update.version,
    message: `An update to ${versionOf(update)} is ready.`,
    help:
      atMs === null
        ? 'Install it when it suits you: update install'
        : `Nothing: it is installed at ${describeMoment(atMs)}. To have it sooner: update install`,
  };
}

/** It still waits. One whose hour is yet to come is tried again by itself. */
function notInstalled(update: UpdateFacts, reason: string): FoundCondition {
  const { atMs } = update;
  const again = atMs === null ? 'Try again' : `It is tried at ${describeMoment(atMs)}, or now`;
  return {
    code: 'UPDATE_NOT_INSTALLED',
    severity: 'warning',
    subject: update.version,
    message: `The update to ${versionOf(update)} was not installed: ${reason}.`,
    help: `${again}: update install; if that does not help, send the update again.`,
  };
}

/** The machine starts again by itself; a restart of the program alone would start the same system. */
function restartDue(update: UpdateFacts): FoundCondition {
  return {
    code: 'UPDATE_WAITING',
    severity: 'notice',
    subject: update.version,
    message: `The update to ${versionOf(update)} is installed: the box starts again by itself, into it.`,
    help: 'If it has not in five minutes: shut it down, unplug it, and plug it in again.',
  };
}

function rolledBack(update: UpdateFacts): FoundCondition {
  const why = update.reason === null ? '' : `: ${update.reason}`;
  return {
    code: 'UPDATE_ROLLED_BACK',
    severity: 'warning',
    subject: update.version,
    message: `The update to ${versionOf(update)} did not work${why}; the version before runs again.`,
    help: 'Nothing is lost; wait for a newer version, or send a support bundle.',
  };
}

function versionOf({ version }: UpdateFacts): string {
  return version ?? 'a new version';
}
