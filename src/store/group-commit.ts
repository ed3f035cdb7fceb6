import { assert } from '../base/assert.ts';
import { groupBytesMax } from '../base/limits.ts';
import { recordsBytes } from './record.ts';
import type { NewRecord, SegmentWriter, Written } from './segment-writer.ts';

/** Records that were put together: they are durable together, and so wait together. */
interface Waiting {
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitEvents {
  /** A group is durable; called before those who wait for it hear of it. */
  readonly durable: (records: readonly NewRecord[], bytes: number, written: Written) => void;
  /** A group of that many bytes was not written; called before those who wait for it hear of it. */
  readonly failed: (error: unknown, bytes: number) => void;
}

/** A group whose sync is under way, and what that will have failed with, if it will have. */
interface Syncing {
  readonly group: readonly Waiting[];
  readonly written: Written;
  readonly failure: Promise<{ readonly error: unknown } | undefined>;
}

/**
 * Many writers share one write and one sync: while one group is synced the next one is written, and while that waits
 * for its own sync the one after it gathers.
 */
export class GroupCommit {
  readonly #writer: SegmentWriter;
  readonly #events: GroupCommitEvents;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #syncing: Syncing | undefined;
  /** Called when something comes into the queue while nothing else is to be written. */
  #arrived: (() => void) | undefined;
  #stopped: unknown;

  constructor(writer: SegmentWriter, events: GroupCommitEvents) {
    this.#writer = writer;
    this.#events = events;
  }

  /** Resolves when the records, `groupBytesMax` at most, are durable. Their bodies must not change meanwhile. */
  put(records: readonly NewRecord[]): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes: recordsBytes(records), resolve, reject });
      this.#arrived?.();
      this.#running ??= this.#run();
    });
  }

  /** Nothing more is written: what waits is rejected with `error`, and so is what comes. */
  stop(error: unknown): void {
    this.#stopped = error;
    const waiting = this.#queue.splice(0);
    if (waiting.length > 0) this.#events.failed(error, sumOf(waiting));
    for (const { reject } of waiting) reject(error);
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // What is put in the same turn belongs to the same group.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#syncing !== undefined) {
      if (this.#queue.length > 0) await this.#write(this.#takeGroup());
      else if (await this.#syncEndsFirst()) await this.#settle();
    }
    this.#running = undefined;
  }

  /** Waits until the sync under way has ended (true), or there is something to write beside it. */
  async #syncEndsFirst(): Promise<boolean> {
    const arrival = new Promise<boolean>((resolve) => {
      this.#arrived = () => resolve(false);
    });
    const first = await Promise.race([arrival, this.#syncing?.failure.then(() => true) ?? true]);
    this.#arrived = undefined;
    return first;
  }

  /** The first of the queue, as many as fit into the segment in use, or else into a new one. */
  #takeGroup(): readonly Waiting[] {
    const first = this.#queue[0];
    assert(first !== undefined, 'a group has a record');
    const fits = first.bytes <= this.#writer.roomBytes;
    const roomBytes = fits ? Math.min(groupBytesMax, this.#writer.roomBytes) : groupBytesMax;
    let sum = 0;
    let count = 0;
    for (const { bytes } of this.#queue) {
      sum += bytes;
      if (count > 0 && sum > roomBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Writes a group, and begins its sync when the one before has ended. */
  async #write(group: readonly Waiting[]): Promise<void> {
    // A segment is closed, and the next one begun, only when all of it is durable.
    if (sumOf(group) > this.#writer.roomBytes) await this.#settle();
    const records = group.flatMap((waiting) => waiting.records);
    let written: Written;
    try {
      written = await this.#writer.write(records);
    } catch (error) {
      this.#fail(group, error);
      return;
    }
    const failed = await this.#settle();
    // What was written behind it was cut off with it.
    if (failed !== undefined) this.#fail(group, failed.error);
    else this.#syncing = { group, written, failure: this.#sync(group, records, written) };
  }

  /** Waits for the sync under way; when that fails, takes its group out of the log, with all that is behind it. */
  async #settle(): Promise<{ readonly error: unknown } | undefined> {
    const syncing = this.#syncing;
    const failure = await syncing?.failure;
    this.#syncing = undefined;
    if (syncing === undefined || failure === undefined) return undefined;
    await this.#writer.undo(syncing.written);
    this.#fail(syncing.group, failure.error);
    return failure;
  }

  async #sync(
    group: readonly Waiting[],
    records: readonly NewRecord[],
    written: Written,
  ): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.#writer.sync(written);
      this.#events.durable(records, sumOf(group), written);
    } catch (error) {
      return { error };
    }
    for (const { resolve } of group) resolve();
    return undefined;
  }

  #fail(group: readonly Waiting[], error: unknown): void {
    this.#events.failed(error, sumOf(group));
    for (const { reject } of group) reject(error);
  }
}

function sumOf(group: readonly Waiting[]): number {
  let sum = 0;
  for (const { bytes } of group) sum += bytes;
  return sum;
}
