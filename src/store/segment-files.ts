import { segmentFilesOpenMax } from '../base/limits.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import { segmentPath } from './segment.ts';

interface OpenFile {
  readonly file: Promise<DiskFile>;
  users: number;
}

/** Segments opened to be read: kept open for the next reader, the least lately used closed beyond a bound. */
export class SegmentFiles {
  readonly #disk: Disk;
  /** In the order of their last use. One that is not in here any more is closed by its last user. */
  readonly #open = new Map<number, OpenFile>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Calls `action` with the segment's file, which stays open meanwhile. Errors: `DiskErrorCode`. */
  async use<T>(segment: number, action: (file: DiskFile) => Promise<T>): Promise<T> {
    const opened = this.#take(segment);
    try {
      return await action(await opened.file);
    } catch (error) {
      // The next reader tries with a new handle.
      if (this.#open.get(segment) === opened) this.#open.delete(segment);
      throw error;
    } finally {
      opened.users--;
      if (opened.users === 0 && this.#open.get(segment) !== opened) void closeQuietly(opened);
      this.#shrink(segmentFilesOpenMax);
    }
  }

  /** Closes the files; those in use when their readers have done. */
  close(): void {
    this.#shrink(0);
    this.#open.clear();
  }

  #take(segment: number): OpenFile {
    const opened = this.#open.get(segment) ?? {
      file: this.#disk.open(segmentPath(segment), 'read'),
      users: 0,
    };
    this.#open.delete(segment);
    this.#open.set(segment, opened);
    opened.users++;
    return opened;
  }

  #shrink(filesMax: number): void {
    for (const [segment, opened] of this.#open) {
      if (this.#open.size <= filesMax) return;
      if (opened.users > 0) continue;
      this.#open.delete(segment);
      void closeQuietly(opened);
    }
  }
}

/** A file that was only read loses nothing when closing it fails. */
async function closeQuietly(opened: OpenFile): Promise<void> {
  try {
    await (await opened.file).close();
  } catch {
    // Nothing depends on it.
  }
}
