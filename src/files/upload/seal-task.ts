import type { Bytes } from '../../base/bytes.ts';
import { hasCode, messageOf } from '../../base/errors.ts';
import { inlineFileBytesMax, sealBatchBytes, sealResultsMax } from '../../base/limits.ts';
import type { BlockingFile, BlockingFiles } from '../../ports/local-files.ts';
import type { SealedChunk } from '../../store/seal.ts';
import { ContentSealer, type SealedContent, type SealSecrets } from '../contents/content-sealer.ts';
import { filesError } from '../files-error.ts';

/** Work for one thread: files to read, cut and seal. */
export interface SealTask {
  readonly files: readonly { readonly index: number; readonly path: string }[];
  /** Shared by all tasks of a put: see {@link SealCredits}. */
  readonly credits: Int32Array;
}

export interface SealedFile extends SealedContent {
  readonly index: number;
  readonly mode: number;
  readonly mtimeMs: number;
  /** It changed while it was read, twice; what is sealed may be a mixture. */
  readonly changed: boolean;
}

export interface FailedFile {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

/** What a task posts: chunks, and the files that need no chunk beyond these and those posted before. */
export interface SealBatch {
  /** Bodies end to end. */
  readonly bodies: Bytes;
  readonly bodyLengths: Uint32Array;
  /** 32 bytes each. */
  readonly ids: Bytes;
  readonly sealed: readonly SealedFile[];
  readonly failed: readonly FailedFile[];
}

export type PostBatch = (batch: SealBatch, transfer: readonly ArrayBuffer[]) => void;

/**
 * Batches that may still be posted, counted in memory that the threads share: the sealing threads wait when the
 * network does not keep up, so that what is sealed and not yet stored is bounded. Cell 0: free batches; cell 1:
 * not 0 when everybody should stop.
 */
export class SealCredits {
  readonly cells: Int32Array;

  constructor(cells: Int32Array) {
    this.cells = cells;
  }

  static create(batches: number): SealCredits {
    const cells = new Int32Array(new SharedArrayBuffer(8));
    cells[0] = batches;
    return new SealCredits(cells);
  }

  /** Waits, blocking the thread, for a place; false when everything is to stop. */
  acquire(): boolean {
    for (;;) {
      if (this.stopped) return false;
      const free = Atomics.load(this.cells, 0);
      if (free <= 0) Atomics.wait(this.cells, 0, free);
      else if (Atomics.compareExchange(this.cells, 0, free, free - 1) === free) return true;
    }
  }

  release(): void {
    Atomics.add(this.cells, 0, 1);
    Atomics.notify(this.cells, 0);
  }

  /** Lets every thread that waits go, to stop. */
  stop(): void {
    Atomics.store(this.cells, 1, 1);
    // A thread that has just looked sees another number of free places, and does not fall asleep.
    Atomics.add(this.cells, 0, 1);
    Atomics.notify(this.cells, 0);
  }

  get stopped(): boolean {
    return Atomics.load(this.cells, 1) !== 0;
  }
}

/** Seals the files of tasks, one task after another. */
export class FileSealer {
  readonly #files: BlockingFiles;
  readonly #sealer: ContentSealer;
  /** Chunks are sealed into the memory that will be handed over, end to end. */
  #memory = new Uint8Array(0);
  #chunks: SealedChunk[] = [];
  #chunkBytes = 0;
  #sealed: SealedFile[] = [];
  #failed: FailedFile[] = [];
  #flush: () => void = () => {};

  constructor(secrets: SealSecrets, files: BlockingFiles) {
    this.#files = files;
    this.#sealer = new ContentSealer(
      secrets,
      (chunk) => this.#chunks.push(chunk),
      (bytes) => this.#allocate(bytes),
    );
  }

  /** Posts a batch whenever one is full. A file that cannot be read is told in a batch; the others go on. */
  run(task: SealTask, post: PostBatch): void {
    const credits = new SealCredits(task.credits);
    this.#flush = () => {
      if (!credits.acquire()) throw filesError('SOURCE_ABANDONED', 'the put was ended');
      this.#post(post);
    };
    try {
      for (const { index, path } of task.files) {
        if (credits.stopped) return;
        this.#sealFile(index, path);
        if (this.#sealed.length >= sealResultsMax) this.#flush();
      }
      if (this.#sealed.length + this.#failed.length > 0) this.#flush();
    } catch (error) {
      if (!hasCode(error, 'SOURCE_ABANDONED')) throw error;
    } finally {
      this.#forget();
      this.#sealer.reset();
    }
  }

  /** Posts what there is when a chunk does not fit behind it. */
  #allocate(bytes: number): Bytes {
    if (this.#chunkBytes + bytes > this.#memory.length) {
      if (this.#chunks.length > 0) this.#flush();
      this.#memory = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(sealBatchBytes, bytes)).buffer);
    }
    const start = this.#chunkBytes;
    this.#chunkBytes += bytes;
    return this.#memory.subarray(start, this.#chunkBytes);
  }

  #sealFile(index: number, path: string): void {
    try {
      const file = this.#files.open(path);
      try {
        const sealed = this.#sealOpen(file);
        this.#sealed.push({ index, ...sealed });
      } finally {
        file.close();
      }
    } catch (error) {
      this.#sealer.reset();
      if (hasCode(error, 'SOURCE_ABANDONED')) throw error;
      const code = (error as { code?: unknown }).code;
      const known = typeof code === 'string' ? code : 'LOCAL_UNREADABLE';
      this.#failed.push({ index, code: known, message: messageOf(error) });
    }
  }

  /** A file that changes while it is read is read once more. */
  #sealOpen(file: BlockingFile): Omit<SealedFile, 'index'> {
    for (let attempt = 0; ; attempt++) {
      const before = file.stat();
      if (before.kind !== 'file') throw filesError('SOURCE_UNSUPPORTED', 'not a file any more');
      const sealed = this.#readWhole(file, before.sizeBytes);
      const after = file.stat();
      const changed = after.changeToken !== before.changeToken;
      if (!changed || attempt > 0) return { ...sealed, mode: after.mode, mtimeMs: after.mtimeMs, changed };
      file.rewind();
    }
  }

  #readWhole(file: BlockingFile, sizeBytes: number): SealedContent {
    // For the many small files one read is enough: the size says that there is no more, and the stat after it that
    // it is still so.
    const small = sizeBytes <= inlineFileBytesMax;
    for (let total = 0; ; ) {
      const count = file.read(
        small ? this.#sealer.space.subarray(0, inlineFileBytesMax + 1) : this.#sealer.space,
      );
      this.#sealer.advance(count);
      total += count;
      if (count === 0 || (small && total === sizeBytes)) return this.#sealer.finish();
    }
  }

  #post(post: PostBatch): void {
    const chunks = this.#chunks;
    const bodies = this.#memory.subarray(0, this.#chunkBytes);
    const ids = new Uint8Array(32 * chunks.length);
    const bodyLengths = new Uint32Array(chunks.length);
    for (const [index, { id, body }] of chunks.entries()) {
      ids.set(id, 32 * index);
      bodyLengths[index] = body.length;
    }
    const batch = { bodies, bodyLengths, ids, sealed: this.#sealed, failed: this.#failed };
    this.#forget();
    post(batch, [bodies.buffer as ArrayBuffer]);
  }

  #forget(): void {
    this.#memory = new Uint8Array(0);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#sealed = [];
    this.#failed = [];
  }
}
