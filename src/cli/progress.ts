/**
 * How far a copy has come, as a bar on a terminal or as plain lines in a pipe. Pure: the caller brings the time and
 * writes what it gets.
 */
import { fitText, formatBytes, formatDuration, padText, textWidth } from '../base/format.ts';

/** What is known of the work; totals may still grow while the tree is being read. */
export interface ProgressCounts {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly totalFiles: number;
  /** All files have been found: the totals are final, so that a share and a time left mean something. */
  readonly totalsKnown: boolean;
}

/** Counts together with the rate that was measured from them. Start with {@link startProgress}. */
export interface ProgressState extends ProgressCounts {
  readonly startMs: number;
  readonly measuredMs: number;
  readonly measuredBytes: number;
  /** Smoothed bytes a second, not yet corrected for its short past. */
  readonly rate: number;
  /** How much of the smoothed rate has been measured: 0 at the start, towards 1. */
  readonly confidence: number;
}

/** What is older than this counts for about a third. */
const smoothingMs = 4000;
/** Shorter stretches than this are measured together: one big write must not look like a burst. */
const measureMsMin = 250;
/** Plain lines come at most this often. */
const plainLineMs = 5000;

export function startProgress(nowMs: number): ProgressState {
  return {
    doneBytes: 0,
    totalBytes: 0,
    doneFiles: 0,
    totalFiles: 0,
    totalsKnown: false,
    startMs: nowMs,
    measuredMs: nowMs,
    measuredBytes: 0,
    rate: 0,
    confidence: 0,
  };
}

/** The state after these counts were seen at `nowMs` (monotonic). */
export function advanceProgress(state: ProgressState, counts: ProgressCounts, nowMs: number): ProgressState {
  const elapsedMs = nowMs - state.measuredMs;
  if (elapsedMs < measureMsMin) return { ...state, ...counts };
  const kept = Math.exp(-elapsedMs / smoothingMs);
  const current = (Math.max(0, counts.doneBytes - state.measuredBytes) / elapsedMs) * 1000;
  return {
    ...state,
    ...counts,
    measuredMs: nowMs,
    measuredBytes: counts.doneBytes,
    rate: state.rate * kept + current * (1 - kept),
    confidence: state.confidence * kept + (1 - kept),
  };
}

/** Bytes a second now, or undefined before anything was measured. */
export function bytesPerSecond(state: ProgressState): number | undefined {
  return state.confidence === 0 ? undefined : state.rate / state.confidence;
}

/** Milliseconds left at the present rate, or undefined when nobody can tell. */
export function timeLeftMs(state: ProgressState): number | undefined {
  const rate = bytesPerSecond(state);
  if (!state.totalsKnown || rate === undefined || rate < 1) return undefined;
  return (Math.max(0, state.totalBytes - state.doneBytes) / rate) * 1000;
}

/**
 * One row of at most `columns` − 1 cells: share, bar, bytes, rate, time left, files. What does not fit is left out
 * from the least important on.
 */
export function renderProgressBar(state: ProgressState, nowMs: number, columns: number): string {
  const width = columns - 1;
  const parts = progressParts(state, nowMs);
  const share = state.totalsKnown ? `${padText(`${percentDone(state)}%`, 4, 'right')} ` : '';
  let kept = parts.length;
  const rest = () => parts.slice(0, kept).join('  ');
  while (kept > 1 && textWidth(share) + textWidth(rest()) > width) kept--;
  const room = width - textWidth(share) - textWidth(rest()) - 4;
  const bar = state.totalsKnown && room >= 8 ? `${drawBar(state, Math.min(room, 30))}  ` : '';
  return fitText(`${share}${bar}${rest()}`, width);
}

/** One line of text for a log or a pipe. */
export function renderProgressLine(state: ProgressState, nowMs: number): string {
  const share = state.totalsKnown ? [`${percentDone(state)}%`] : [];
  return [...share, ...progressParts(state, nowMs)].join(', ');
}

/** Whether a plain line is due, when the last one was written at `lastMs`. */
export function isPlainLineDue(lastMs: number, nowMs: number): boolean {
  return nowMs - lastMs >= plainLineMs;
}

/** When all is done: what was moved, in how long, how fast. */
export function renderProgressSummary(state: ProgressState, nowMs: number): string {
  const elapsedMs = Math.max(1, nowMs - state.startMs);
  const rate = formatBytes((state.doneBytes / elapsedMs) * 1000);
  return `${fileCount(state.doneFiles)}, ${formatBytes(state.doneBytes)} in ${formatElapsed(elapsedMs)} (${rate}/s)`;
}

function progressParts(state: ProgressState, nowMs: number): readonly string[] {
  const rate = bytesPerSecond(state);
  const leftMs = timeLeftMs(state);
  const total = state.totalsKnown ? formatBytes(state.totalBytes) : `${formatBytes(state.totalBytes)}+`;
  const files = `${state.doneFiles}/${state.totalFiles}${state.totalsKnown ? '' : '+'} files`;
  return [
    `${formatBytes(state.doneBytes)} of ${total}`,
    rate === undefined ? `${formatElapsed(nowMs - state.startMs)} so far` : `${formatBytes(rate)}/s`,
    ...(leftMs === undefined ? [] : [`${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`]),
    files,
  ];
}

/** 100 only when everything is done: a bar that says so too early is not believed again. */
function percentDone(state: ProgressState): number {
  if (state.doneBytes >= state.totalBytes && state.doneFiles >= state.totalFiles) return 100;
  return Math.min(99, Math.floor((state.doneBytes / Math.max(1, state.totalBytes)) * 100));
}

function drawBar(state: ProgressState, cells: number): string {
  const filled = Math.floor((percentDone(state) / 100) * cells);
  return `[${'#'.repeat(filled)}${'-'.repeat(cells - filled)}]`;
}

function formatElapsed(elapsedMs: number): string {
  return elapsedMs < 10_000 ? `${(Math.max(0, elapsedMs) / 1000).toFixed(1)} s` : formatDuration(elapsedMs);
}

function fileCount(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}
