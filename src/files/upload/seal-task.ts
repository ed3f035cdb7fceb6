import { assert } from '../../base/assert.ts';
import type { Bytes } from '../../base/bytes.ts';
import { hasCode, messageOf } from '../../base/errors.ts';
import { inlineFileBytesMax, sealResultsMax } from '../../base/limits.ts';
import { entryBytes, entryHeaderBytes, layOutEntry } from '../../pool/transfer/chunk-entry.ts';
import type { BlockingFile, BlockingFiles } from '../../ports/local-files.ts';
import type { SealedChunk } from '../../store/seal.ts';
import { ContentSealer, type SealedContent, type SealSecrets } from '../contents/content-sealer.ts';
import { filesError } from '../files-error.ts';
import { SealSlots, type SharedSlots } from './seal-slots.ts';

/** Work for one thread: files to read, cut and seal. */
export interface SealTask {
  readonly files: readonly { readonly index: number; readonly path: string }[];
  /** Shared by all tasks of a put: see {@link SealSlots}. */
  readonly slots: SharedSlots;
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
  /** Where the chunks' entries are (`chunk.put`'s), end to end; to be released when they are stored. */
  readonly slot: number;
  readonly bodyLengths: Uint32Array;
  readonly sealed: readonly SealedFile[];
  readonly failed: readonly FailedFile[];
}

export type PostBatch = (batch: SealBatch) => void;

/** Seals the files of tasks, one task after another. */
export class FileSealer {
  readonly #files: BlockingFiles;
  readonly #sealer: ContentSealer;
  #slots: SealSlots | undefined;
  /** The slot that chunks are sealed into, an entry behind the other. */
  #slot: number | undefined;
  #bodyLengths: number[] = [];
  #slotBytes = 0;
  #sealed: SealedFile[] = [];
  #failed: FailedFile[] = [];
  #flush: () => void = () => {};

  constructor(secrets: SealSecrets, files: BlockingFiles) {
    this.#files = files;
    this.#sealer = new ContentSealer(
      secrets,
      (chunk) => this.#layOut(chunk),
      (bytes) => this.#allocate(bytes),
    );
  }

  /** Posts a batch whenever one is full. A file that cannot be read is told in a batch; the others go on. */
  run(task: SealTask, post: PostBatch): void {
    const slots = new SealSlots(task.slots);
    this.#slots = slots;
    this.#flush = () => this.#post(post);
    try {
      for (const { index, path } of task.files) {
        if (slots.stopped) return;
        this.#sealFile(index, path);
        if (this.#sealed.length >= sealResultsMax) this.#flush();
      }
      if (this.#sealed.length + this.#failed.length > 0) this.#flush();
    } catch (error) {
      if (!hasCode(error, 'SOURCE_ABANDONED')) throw error;
    } finally {
      if (this.#slot !== undefined) slots.release(this.#slot);
      this.#forget();
      this.#sealer.reset();
    }
  }

  /** Memory for a body, where its entry will be. Posts what there is when that does not fit behind it. */
  #allocate(bodyBytes: number): Bytes {
    assert(this.#slots !== undefined, 'chunks are sealed for a task');
    const bytes = entryBytes(bodyBytes);
    if (this.#slotBytes + bytes > this.#slots.shared.slotBytes) this.#flush();
    const start = this.#slotBytes + entryHeaderBytes;
    return this.#slots.memoryOf(this.#takeSlot()).subarray(start, start + bodyBytes);
  }

  /** Completes the entry of the body that `#allocate` gave memory for last. */
  #layOut({ id, body }: SealedChunk): void {
    const end = this.#slotBytes + entryBytes(body.length);
    layOutEntry(this.#slots!.memoryOf(this.#takeSlot()).subarray(this.#slotBytes, end), id, body.length);
    this.#bodyLengths.push(body.length);
    this.#slotBytes = end;
  }

  #takeSlot(): number {
    this.#slot ??= this.#slots?.acquire();
    if (this.#slot === undefined) throw filesError('SOURCE_ABANDONED', 'the put was ended');
    return this.#slot;
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
    const bodyLengths = Uint32Array.from(this.#bodyLengths);
    const batch = { slot: this.#takeSlot(), bodyLengths, sealed: this.#sealed, failed: this.#failed };
    this.#forget();
    post(batch);
  }

  #forget(): void {
    this.#slot = undefined;
    this.#bodyLengths = [];
    this.#slotBytes = 0;
    this.#sealed = [];
    this.#failed = [];
  }
}
