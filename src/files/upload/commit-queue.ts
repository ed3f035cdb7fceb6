import { hasCode } from '../../base/errors.ts';
import {
  uploadCommitBytesMax,
  uploadCommitChangesMax,
  uploadCommitDelayMs,
  uploadCommitsMax,
} from '../../base/limits.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Change } from '../tree/change.ts';

export interface CommitQueuePorts {
  readonly clock: Clock;
  readonly commit: (changes: readonly Change[]) => Promise<{ readonly copies: number }>;
}

export interface CommitOutcome<Item> {
  readonly item: Item;
  /** Why this change alone was refused; absent when it is durable. */
  readonly refusal?: Error & { readonly code: string };
}

interface Waiting<Item> {
  readonly change: Change;
  readonly item: Item;
}

/** Groups changes into commits: as many as fit, or those that came within half a second. */
export class CommitQueue<Item> {
  readonly #ports: CommitQueuePorts;
  readonly #onOutcome: (outcome: CommitOutcome<Item>, copies: number) => void;
  #waiting: Waiting<Item>[] = [];
  #waitingBytes = 0;
  #timer: Timer | undefined;
  readonly #places = new Semaphore(uploadCommitsMax);
  /** Batches on their way, and those that wait for a place. */
  readonly #sending = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(ports: CommitQueuePorts, onOutcome: (outcome: CommitOutcome<Item>, copies: number) => void) {
    this.#ports = ports;
    this.#onOutcome = onOutcome;
  }

  /** Resolves when there is room for more. Rejects when a commit has failed as a whole: nothing more is sent. */
  async add(change: Change, item: Item): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#waiting.push({ change, item });
    this.#waitingBytes += bytesOf(change);
    const full = this.#waiting.length >= uploadCommitChangesMax || this.#waitingBytes >= uploadCommitBytesMax;
    if (full) await this.#send();
    else this.#timer ??= this.#ports.clock.after(uploadCommitDelayMs, () => void this.#send());
  }

  /** Sends what waits, and resolves when everything is answered. Rejects when a commit failed as a whole. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending.size > 0) {
      await this.#send();
      await Promise.all(this.#sending);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when the batch has its place. */
  async #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (batch.length === 0) return;
    const place = this.#places.acquire(1);
    const sent = place
      .then(() => (this.#failure === undefined ? this.#commit(batch) : undefined))
      .catch((error) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#places.release(1);
        this.#sending.delete(sent);
      });
    this.#sending.add(sent);
    await place;
  }

  /** Commits; a change that the box refuses is taken out, and the others are sent again without it. */
  async #commit(batch: readonly Waiting<Item>[]): Promise<void> {
    for (let left = batch; left.length > 0; ) {
      try {
        const { copies } = await this.#ports.commit(left.map(({ change }) => change));
        for (const { item } of left) this.#onOutcome({ item }, copies);
        return;
      } catch (error) {
        if (hasCode(error, 'COMMIT_TOO_LARGE') && left.length > 1) {
          const half = left.length >>> 1;
          await this.#commit(left.slice(0, half));
          await this.#commit(left.slice(half));
          return;
        }
        const index = refusedChange(error);
        const refused = index === undefined ? undefined : left[index];
        if (refused === undefined) throw error;
        this.#onOutcome({ item: refused.item, refusal: error as Error & { code: string } }, 0);
        left = left.filter((waiting) => waiting !== refused);
      }
    }
  }
}

function refusedChange(error: unknown): number | undefined {
  const { fields } = error as { fields?: Readonly<Record<string, unknown>> };
  return typeof fields?.change === 'number' ? fields.change : undefined;
}

/** What a change takes in a commit, roughly. */
function bytesOf(change: Change): number {
  let bytes = 200;
  for (const name of change.path) bytes += 2 + 3 * name.length;
  if (change.op === 'remove') return bytes;
  if (change.content !== undefined) {
    bytes += 'inline' in change.content ? change.content.inline.length : change.content.chunks.length;
  }
  return bytes + 3 * (change.target?.length ?? 0);
}
