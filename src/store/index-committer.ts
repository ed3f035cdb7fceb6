import { indexCommitBytes, indexCommitDelayMs, indexCommitEntries } from '../base/limits.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { ChunkIndex } from './chunk-index.ts';

/** A point of the log, and how many bytes of segments there are up to it. */
export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
  readonly usedBytes: number;
}

/** Commits an index lazily: all that a crash costs then is a scan of the tail. */
export class IndexCommitter {
  readonly #index: ChunkIndex;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  /** Every record before it is in the index, committed or not. */
  #position: LogPosition;
  #committedBytes: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(index: ChunkIndex, position: LogPosition, clock: Clock, failed: (error: unknown) => void) {
    this.#index = index;
    this.#position = position;
    this.#committedBytes = position.usedBytes;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Says that the index has got entries, up to `position` of the log where that has changed. */
  advance(position: LogPosition = this.#position): void {
    this.#position = position;
    if (this.#running !== undefined || this.#stopped) return;
    const isDue =
      position.usedBytes - this.#committedBytes >= indexCommitBytes ||
      this.#index.freshCount >= indexCommitEntries;
    if (isDue) this.#start();
    else this.#schedule();
  }

  /** Commits what there is; resolves when that is done or has failed. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#stopped || this.#index.freshCount === 0) return;
    this.#start();
    await this.#running;
  }

  /** Commits nothing more; resolves when a commit under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
  }

  #schedule(): void {
    this.#timer ??= this.#clock.after(indexCommitDelayMs, () => this.#start());
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#running === undefined && !this.#stopped) this.#running = this.#commit();
  }

  async #commit(): Promise<void> {
    const { segment, offset, usedBytes } = this.#position;
    try {
      await this.#index.commit(segment, offset, usedBytes);
      this.#committedBytes = usedBytes;
    } catch (error) {
      this.#failed(error);
    }
    this.#running = undefined;
    // Also after a failure, so that the next try comes after a while and not at once.
    if (this.#index.freshCount > 0 && !this.#stopped) this.#schedule();
  }
}
