import { every, type Timer } from '../ports/clock.ts';
import { desktopPorts } from './desktop.ts';
import type { Output } from './output.ts';
import {
  advanceProgress,
  isPlainLineDue,
  type ProgressCounts,
  renderProgressBar,
  renderProgressLine,
  renderProgressSummary,
  startProgress,
} from './progress.ts';

/** How often a bar on a terminal is drawn: often enough to look alive. */
const drawMs = 200;

/** Shows how a transfer gets on: a bar on a terminal, a line now and then elsewhere. */
export class ProgressView {
  readonly #output: Output;
  readonly #timer: Timer;
  #state = startProgress(desktopPorts.clock.monotonicMs());
  #counts: ProgressCounts = { ...this.#state };
  #lastLineMs = this.#state.startMs;

  constructor(output: Output) {
    this.#output = output;
    this.#timer = every(desktopPorts.clock, drawMs, () => this.#draw());
  }

  update(change: Partial<ProgressCounts>): void {
    this.#counts = { ...this.#counts, ...change };
  }

  /** Adds to what is done. */
  advance(bytes: number, files: number): void {
    const { doneBytes, doneFiles } = this.#counts;
    this.update({ doneBytes: doneBytes + bytes, doneFiles: doneFiles + files });
  }

  /** Ends the showing; returns what was moved, how long it took and how fast it was, in a line. */
  finish(): string {
    this.#timer.cancel();
    this.#output.clearProgress();
    const now = desktopPorts.clock.monotonicMs();
    return renderProgressSummary(advanceProgress(this.#state, this.#counts, now), now);
  }

  #draw(): void {
    const now = desktopPorts.clock.monotonicMs();
    this.#state = advanceProgress(this.#state, this.#counts, now);
    const columns = this.#output.progressColumns;
    if (columns !== undefined) this.#output.progress(renderProgressBar(this.#state, now, columns));
    else if (isPlainLineDue(this.#lastLineMs, now)) {
      this.#lastLineMs = now;
      this.#output.progress(renderProgressLine(this.#state, now));
    }
  }
}
