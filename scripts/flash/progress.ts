import { fitText, formatBytes, formatDuration } from '../../src/base/format.ts';
import {
  advanceProgress,
  bytesPerSecond,
  type ProgressState,
  startProgress,
  timeLeftMs,
} from '../../src/cli/progress.ts';

/** Where the progress is shown: one row drawn over and over on a terminal, else a line for every tenth. */
export interface ProgressScreen {
  /** Of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
  write(text: string): void;
  /** Monotonic. */
  nowMs(): number;
}

/** Redrawn at most so often. */
const drawMs = 200;

/** How far writing or verifying has come. */
export class FlashProgress {
  readonly #screen: ProgressScreen;
  readonly #verb: string;
  readonly #totalBytes: number;
  #state: ProgressState;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #doneBytes = 0;

  /** `verb`: `Writing`. */
  constructor(screen: ProgressScreen, verb: string, totalBytes: number) {
    this.#screen = screen;
    this.#verb = verb;
    this.#totalBytes = totalBytes;
    this.#state = startProgress(screen.nowMs());
  }

  update(doneBytes: number): void {
    const { columns, write } = this.#screen;
    const nowMs = this.#screen.nowMs();
    const counts = {
      ...{ doneBytes, totalBytes: this.#totalBytes, totalsKnown: true },
      ...{ doneFiles: 0, totalFiles: 0 },
    };
    this.#state = advanceProgress(this.#state, counts, nowMs);
    const tenth = reachedTenth(this.#doneBytes, doneBytes, this.#totalBytes);
    this.#doneBytes = doneBytes;
    if (columns === undefined) {
      if (tenth) write(`${progressRow(this.#verb, this.#state)}\n`);
    } else if (nowMs - this.#drawnMs >= drawMs) {
      this.#drawnMs = nowMs;
      write(`\r\x1b[K${fitText(progressRow(this.#verb, this.#state), columns - 1)}`);
    }
  }

  /** Leaves one line that stays: `Writing: 1.5 GiB in 1 min 12 s`. */
  finish(): void {
    const tookMs = this.#screen.nowMs() - this.#state.startMs;
    const took = tookMs < 10_000 ? `${(tookMs / 1000).toFixed(1)} s` : formatDuration(tookMs);
    const start = this.#screen.columns === undefined ? '' : '\r\x1b[K';
    this.#screen.write(`${start}${this.#verb}: ${formatBytes(this.#doneBytes)} in ${took}\n`);
  }

  /** Clears the row, so that an error stands alone. */
  abandon(): void {
    if (this.#screen.columns !== undefined) this.#screen.write('\r\x1b[K');
  }
}

/** `Writing  45%  700.0 MiB of 1.5 GiB  21.3 MiB/s  41 s left`. */
export function progressRow(verb: string, state: ProgressState): string {
  const rate = bytesPerSecond(state);
  const leftMs = timeLeftMs(state);
  const percent = Math.floor((state.doneBytes / Math.max(1, state.totalBytes)) * 100);
  return [
    `${verb} ${String(percent).padStart(3)}%`,
    `${formatBytes(state.doneBytes)} of ${formatBytes(state.totalBytes)}`,
    ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`]),
  ].join('  ');
}

/** Whether one more tenth of the whole is done than before. */
export function reachedTenth(beforeBytes: number, doneBytes: number, totalBytes: number): boolean {
  const tenths = (bytes: number) => Math.floor((bytes / Math.max(1, totalBytes)) * 10);
  return tenths(doneBytes) > tenths(beforeBytes);
}
