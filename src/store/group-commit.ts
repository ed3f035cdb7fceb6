import { assert } from '../base/assert.ts';
import { groupBytesMax } from '../base/limits.ts';
import { recordBytes } from './record.ts';
import type { Appended, NewRecord, SegmentWriter } from './segment-writer.ts';

interface Waiting extends NewRecord {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitEvents {
  /** A group is durable; called before those who wait for it hear of it. */
  readonly durable: (records: readonly NewRecord[], bytes: number, appended: Appended) => void;
  /** A group of that many bytes was not written; called before those who wait for it hear of it. */
  readonly failed: (error: unknown, bytes: number) => void;
}

/** Many writers share one write and one sync: while one group is on its way to the disk the next one gathers. */
export class GroupCommit {
  readonly #writer: SegmentWriter;
  readonly #events: GroupCommitEvents;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #stopped: unknown;

  constructor(writer: SegmentWriter, events: GroupCommitEvents) {
    this.#writer = writer;
    this.#events = events;
  }

  /** Resolves when the record is durable. Its body must not change meanwhile. */
  put(record: NewRecord): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...record, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Nothing more is written: what waits is rejected with `error`, and so is what comes. */
  stop(error: unknown): void {
    this.#stopped = error;
    const waiting = this.#queue.splice(0);
    if (waiting.length > 0) this.#events.failed(error, bytesOf(waiting));
    for (const { reject } of waiting) reject(error);
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // What is put in the same turn belongs to the same group.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#write(this.#takeGroup());
    this.#running = undefined;
  }

  /** The first of the queue, as many as fit into the segment in use, or else into a new one. */
  #takeGroup(): readonly Waiting[] {
    const first = this.#queue[0];
    assert(first !== undefined, 'a group has a record');
    const fits = recordBytes(first.body.length) <= this.#writer.roomBytes;
    const roomBytes = fits ? Math.min(groupBytesMax, this.#writer.roomBytes) : groupBytesMax;
    let bytes = 0;
    let count = 0;
    for (const { body } of this.#queue) {
      bytes += recordBytes(body.length);
      if (count > 0 && bytes > roomBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const bytes = bytesOf(group);
    try {
      const appended = await this.#writer.append(group);
      this.#events.durable(group, bytes, appended);
    } catch (error) {
      this.#events.failed(error, bytes);
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }
}

function bytesOf(records: readonly NewRecord[]): number {
  let bytes = 0;
  for (const { body } of records) bytes += recordBytes(body.length);
  return bytes;
}
