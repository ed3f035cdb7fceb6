import { assert } from '../../base/assert.ts';
import { hasCode } from '../../base/errors.ts';
import {
  sealBatchBytes,
  sealBatchesInFlightMax,
  sealTaskBytesMax,
  sealTaskFilesMax,
} from '../../base/limits.ts';
import { Semaphore } from '../../base/semaphore.ts';
import { type ChunkToPut, entryBytes, entryIn } from '../../pool/transfer/chunk-entry.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LocalFiles } from '../../ports/local-files.ts';
import type { TaskPool } from '../../ports/task-pool.ts';
import type { ChunkSink } from '../contents/content-writer.ts';
import type { PoolTree } from '../pool-tree.ts';
import type { RemotePath } from '../remote-path.ts';
import type { PutChange } from '../tree/change.ts';
import { type CommitOutcome, CommitQueue } from './commit-queue.ts';
import { RecentChunks } from './recent-chunks.ts';
import { SealSlots } from './seal-slots.ts';
import type { SealBatch, SealedFile, SealTask } from './seal-task.ts';
import { type FoundEntry, type LeftOut, walk } from './walk.ts';

export interface UploadPorts {
  readonly files: LocalFiles;
  /** Whose tasks are `SealTask`s: `src/seal-worker.ts`. */
  readonly sealers: TaskPool;
  readonly chunks: ChunkSink;
  readonly tree: Pick<PoolTree, 'commit'>;
  readonly clock: Clock;
}

export type UploadEvent =
  /** More was found; totals so far. */
  | { readonly kind: 'found'; readonly files: number; readonly bytes: number }
  /** Everything has been found: the totals are final. */
  | { readonly kind: 'walked' }
  /** So many more bytes of sources are sealed and stored. */
  | { readonly kind: 'stored'; readonly bytes: number }
  /** What is at `path` (local) is durable in the pool. */
  | { readonly kind: 'acknowledged'; readonly path: string; readonly file: boolean }
  /** What is at `path` was left out (`skipped`), or stored with a doubt. */
  | {
      readonly kind: 'warning';
      readonly path: string;
      readonly code: string;
      readonly message: string;
      readonly skipped: boolean;
    };

export interface UploadResult {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
  /** How many boxes have everything that was acknowledged; the least over all chunks and commits. */
  readonly copies: number;
  /** How many entries were left out. */
  readonly skipped: number;
  readonly warnings: number;
}

/**
 * Stores each of `sources` (with all that is below it) under its own name in the directory `remoteRoot`. What
 * cannot be read is told and left out; the rest goes on. Each file is committed only when all its chunks are
 * acknowledged. Rejects, when what was acknowledged before stays so, with the first error of the pool
 * (`POOL_FULL`, `POOL_UNREACHABLE`, `STORE_FULL`, those of `commit`).
 */
export async function putPaths(
  sources: readonly string[],
  remoteRoot: RemotePath,
  ports: UploadPorts,
  onEvent: (event: UploadEvent) => void = () => {},
): Promise<UploadResult> {
  const upload = new Upload(ports, onEvent);
  return upload.run(sources, remoteRoot);
}

class Upload {
  readonly #ports: UploadPorts;
  readonly #onEvent: (event: UploadEvent) => void;
  readonly #commits: CommitQueue<FoundEntry>;
  readonly #slots = SealSlots.create(sealBatchesInFlightMax, sealBatchBytes);
  readonly #recent: RecentChunks;
  /** Tasks given to the pool: as many again as run, so that none waits for the next. */
  readonly #places: Semaphore;
  readonly #placesMax: number;
  #batch: FoundEntry[] = [];
  #batchBytes = 0;
  #crashes = 0;
  #failure: { readonly error: unknown } | undefined;
  #found = { files: 0, bytes: 0 };
  #result = { files: 0, directories: 0, links: 0, bytes: 0, skipped: 0, warnings: 0 };
  #copies = Number.POSITIVE_INFINITY;

  constructor(ports: UploadPorts, onEvent: (event: UploadEvent) => void) {
    this.#ports = ports;
    this.#onEvent = onEvent;
    this.#placesMax = 2 * ports.sealers.size;
    this.#places = new Semaphore(this.#placesMax);
    this.#recent = new RecentChunks(ports.chunks);
    const commit = (changes: Parameters<PoolTree['commit']>[0]) => ports.tree.commit(changes);
    this.#commits = new CommitQueue({ clock: ports.clock, commit }, (outcome, copies) =>
      this.#committed(outcome, copies),
    );
  }

  async run(sources: readonly string[], remoteRoot: RemotePath): Promise<UploadResult> {
    try {
      for (const source of sources) await this.#source(source, remoteRoot);
      this.#onEvent({ kind: 'walked' });
      await this.#sealBatch();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure !== undefined) this.#slots.stop();
    // All places free: all tasks have ended.
    await this.#places.acquire(this.#placesMax);
    await this.#commits.drain().catch((error) => this.#fail(error));
    if (this.#failure !== undefined) throw this.#failure.error;
    return { ...this.#result, copies: Number.isFinite(this.#copies) ? this.#copies : 0 };
  }

  async #source(source: string, remoteRoot: RemotePath): Promise<void> {
    for await (const batch of walk(this.#ports.files, source, remoteRoot)) {
      for (const found of batch) {
        if ('leftOut' in found) this.#leaveOut(found.leftOut);
        else await this.#entry(found.entry);
      }
      this.#onEvent({ kind: 'found', ...this.#found });
      if (this.#failure !== undefined) return;
    }
  }

  async #entry(entry: FoundEntry): Promise<void> {
    const { kind, mode, mtimeMs, sizeBytes } = entry.stat;
    if (kind === 'file') {
      this.#found.files++;
      this.#found.bytes += sizeBytes;
      this.#batch.push(entry);
      this.#batchBytes += sizeBytes;
      if (this.#batch.length >= sealTaskFilesMax || this.#batchBytes >= sealTaskBytesMax)
        await this.#sealBatch();
      return;
    }
    const put = { op: 'put', path: entry.remotePath, mode, mtimeMs, size: 0 } as const;
    if (kind === 'directory') {
      if (entry.remotePath.length > 0) await this.#commits.add({ ...put, kind }, entry);
    } else if (kind === 'symlink') {
      try {
        const target = await this.#ports.files.readLink(entry.localPath);
        await this.#commits.add({ ...put, kind, target }, entry);
      } catch (error) {
        if (!isLocal(error)) throw error;
        this.#leaveOut({ localPath: entry.localPath, code: error.code, message: error.message });
      }
    }
  }

  /** Gives the collected files to a sealing thread; resolves when there is room for more. */
  async #sealBatch(): Promise<void> {
    const entries = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (entries.length === 0) return;
    await this.#places.acquire(1);
    this.#runTask(entries)
      .catch((error) => this.#fail(error))
      .finally(() => this.#places.release(1));
  }

  async #runTask(entries: readonly FoundEntry[]): Promise<void> {
    const files = entries.map(({ localPath }, index) => ({ index, path: localPath }));
    const task: SealTask = { files, slots: this.#slots.shared };
    const told = new Set<number>();
    // A file's last chunk may be in the batch of its result, its first ones in those before.
    let before: Promise<void> = Promise.resolve();
    const onMessage = (message: unknown) => {
      const batch = message as SealBatch;
      for (const { index } of [...batch.sealed, ...batch.failed]) told.add(index);
      const stored = this.#store(batch).finally(() => this.#slots.release(batch.slot));
      const previous = before;
      before = Promise.all([previous, stored]).then(() => this.#sealed(entries, batch));
      before.catch((error) => this.#fail(error));
    };
    try {
      await this.#ports.sealers.run(task, onMessage);
    } catch (error) {
      if (!hasCode(error, 'TASK_CRASHED')) throw error;
      // Each took the slot that it was filling with it.
      if (++this.#crashes > sealBatchesInFlightMax / 2) throw error;
      await before;
      const lost = entries.filter((_, index) => !told.has(index));
      for (const { localPath } of lost) {
        this.#leaveOut({ localPath, code: error.code, message: 'the thread that read it died' });
      }
      return;
    }
    await before;
    const stopped = this.#failure !== undefined;
    assert(stopped || told.size === entries.length, 'a task tells of each of its files');
  }

  async #store(batch: SealBatch): Promise<void> {
    if (this.#failure !== undefined) return;
    const chunks: ChunkToPut[] = [];
    const entries = this.#slots.memoryOf(batch.slot);
    let offset = 0;
    for (const bodyBytes of batch.bodyLengths) {
      const end = offset + entryBytes(bodyBytes);
      chunks.push(entryIn(entries.subarray(offset, end), bodyBytes));
      offset = end;
    }
    const copies = await this.#recent.put(chunks);
    this.#copies = Math.min(this.#copies, copies);
  }

  async #sealed(entries: readonly FoundEntry[], batch: SealBatch): Promise<void> {
    if (this.#failure !== undefined) return;
    for (const { index, code, message } of batch.failed) {
      this.#leaveOut({ localPath: entries[index]!.localPath, code, message });
    }
    for (const file of batch.sealed) {
      const entry = entries[file.index]!;
      if (file.changed) {
        const message = 'it changed while it was read; what is stored may be a mixture';
        this.#warn({ localPath: entry.localPath, code: 'SOURCE_CHANGED', message }, false);
      }
      this.#onEvent({ kind: 'stored', bytes: file.size });
      await this.#commits.add(changeOf(entry, file), entry);
    }
  }

  #committed({ item, refusal }: CommitOutcome<FoundEntry>, copies: number): void {
    if (refusal !== undefined) {
      this.#leaveOut({ localPath: item.localPath, code: refusal.code, message: refusal.message });
      return;
    }
    this.#copies = Math.min(this.#copies, copies);
    const { kind, sizeBytes } = item.stat;
    if (kind === 'file') this.#result.files++;
    else if (kind === 'directory') this.#result.directories++;
    else this.#result.links++;
    this.#result.bytes += sizeBytes;
    this.#onEvent({ kind: 'acknowledged', path: item.localPath, file: kind === 'file' });
  }

  #leaveOut(leftOut: LeftOut): void {
    this.#result.skipped++;
    this.#warn(leftOut, true);
  }

  #warn({ localPath, code, message }: LeftOut, skipped: boolean): void {
    this.#result.warnings++;
    this.#onEvent({ kind: 'warning', path: localPath, code, message, skipped });
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#slots.stop();
  }
}

function changeOf(entry: FoundEntry, { mode, mtimeMs, size, content }: SealedFile): PutChange {
  return { op: 'put', path: entry.remotePath, kind: 'file', mode, mtimeMs, size, content };
}

function isLocal(error: unknown): error is Error & { readonly code: string } {
  return /^LOCAL_/.test(String((error as { code?: unknown }).code));
}
