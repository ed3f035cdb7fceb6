import { printable, wrapText } from '../../base/format.ts';
import { isoTime } from '../../base/log.ts';
import { describeMoment } from '../../status/describe-moment.ts';
import type { UpdateFacts } from '../../status/facts.ts';
import type { StatusChange, StatusEvent } from '../../status/history.ts';

const words: Readonly<Record<StatusChange, string>> = {
  raised: '',
  worse: 'worse: ',
  better: 'better: ',
  cleared: 'over: ',
  acknowledged: 'seen: ',
};

/** What became of the box's conditions, the newest last. */
export function historyLines(events: readonly StatusEvent[], columns: number): readonly string[] {
  if (events.length === 0) return ['Nothing has happened yet.'];
  return events.flatMap(({ atMs, change, severity, message, times }) => {
    const often = times > 1 ? ` (${times} times)` : '';
    const text = `${isoTime(atMs).slice(0, 16).replace('T', ' ')} ${severity}: ${words[change]}${message}${often}`;
    const [first = '', ...rest] = wrapText(printable(text), columns - 2);
    return [first, ...rest.map((line) => `  ${line}`)];
  });
}

export function updateLines(
  { state, version, progressPercent, reason, atMs }: UpdateFacts,
  columns: number,
): readonly string[] {
  return wrapText(printable(sentence()), columns);

  function whenInstalled(): string {
    if (atMs === null) return 'To install it';
    return `It is installed at ${describeMoment(atMs)}; to have it sooner`;
  }

  function sentence(): string {
    switch (state) {
      case 'none':
        return reason === null ? 'No update waits.' : `This box cannot be updated: ${reason}.`;
      case 'staged':
        return `Version ${version} is ready, its signature found good${reason === null ? '' : `; it was not installed: ${reason}`}. ${whenInstalled()}: update install`;
      case 'installing':
        return `Version ${version} is being installed, ${progressPercent ?? 0}% done: do not unplug the box.`;
      case 'restart-due':
        return `Version ${version} is installed and runs from the next start on.`;
      case 'trial':
        return `Version ${version} runs, and is being watched: if it does not work, the version before comes back.`;
      case 'rolled-back':
        return `Version ${version} did not work${reason === null ? '' : ` (${reason})`}; the version before runs again.`;
    }
  }
}
