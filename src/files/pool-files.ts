import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../ports/clock.ts';
import { type ChunkSource, readContent } from './contents/content-reader.ts';
import type { SealSecrets } from './contents/content-sealer.ts';
import { type ChunkSink, writeContent } from './contents/content-writer.ts';
import { filesError } from './files-error.ts';
import type { RemotePath } from './remote-path.ts';
import type { Change } from './tree/change.ts';
import type { RemoteEntry } from './tree/remote-entry.ts';
import type { ListPage } from './tree-service.ts';

/** The tree, as a box has it. */
export interface BoxTree {
  commit(changes: readonly Change[]): Promise<{ readonly copies: number }>;
  stat(path: RemotePath): Promise<RemoteEntry>;
  list(path: RemotePath, after?: string, limit?: number): Promise<ListPage>;
}

export interface PoolFilesOptions {
  readonly tree: BoxTree;
  readonly chunks: ChunkSink & ChunkSource;
  readonly secrets: SealSecrets;
}

export interface FileToWrite {
  readonly source: AsyncIterable<Bytes>;
  /** Wall milliseconds; default now. */
  readonly mtimeMs?: number;
}

const fileMode = 0o644;
const directoryMode = 0o755;

/**
 * The files of the pool, for what a box serves to people: whole files as streams, in and out. Sealing and opening happen
 * on this thread, a chunk at a time, so that other work goes on between them.
 */
export class PoolFiles {
  readonly #options: PoolFilesOptions;
  readonly #clock: Clock;

  constructor(options: PoolFilesOptions, { clock }: { readonly clock: Clock }) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Errors: `PATH_NOT_FOUND`, `NOT_A_DIRECTORY`. */
  stat(path: RemotePath): Promise<RemoteEntry> {
    return this.#options.tree.stat(path);
  }

  /** A page of the directory, sorted by name, after `after`. Errors: as {@link stat}. */
  list(path: RemotePath, after?: string, limit?: number): Promise<ListPage> {
    return this.#options.tree.list(path, after, limit);
  }

  /**
   * The bytes of a file from `offset` on, `length` of them. Errors: `IS_A_DIRECTORY`, `CHUNK_NOT_FOUND`,
   * `POOL_UNREACHABLE`, `CHUNK_CORRUPT`; some of the bytes may have come before.
   */
  read(
    entry: RemoteEntry,
    range: { readonly offset: number; readonly length: number },
  ): AsyncIterable<Bytes> {
    if (entry.content === undefined) throw filesError('IS_A_DIRECTORY', 'only a file can be read');
    return readContent(entry.content, this.#options.chunks, range);
  }

  /**
   * Stores a file at `path`, over what is there; missing folders are made. When it resolves it is durable, in `copies`
   * boxes. A source that breaks off leaves what was there. Errors: those of the source, `IS_A_DIRECTORY`, `POOL_FULL`,
   * `POOL_UNREACHABLE`, those of a commit.
   */
  async write(path: RemotePath, { source, mtimeMs }: FileToWrite): Promise<{ size: number; copies: number }> {
    const { tree, chunks, secrets } = this.#options;
    let copies = Number.POSITIVE_INFINITY;
    const counting: ChunkSink = {
      putMany: async (some) => {
        const results = await chunks.putMany(some);
        for (const result of results) copies = Math.min(copies, result.copies);
        return results;
      },
    };
    const { size, content } = await writeContent(source, secrets, counting);
    const time = Math.floor(mtimeMs ?? this.#clock.wallMs());
    const committed = await tree.commit([
      { op: 'put', path, kind: 'file', mode: fileMode, mtimeMs: time, size, content },
    ]);
    return { size, copies: Math.min(copies, committed.copies) };
  }

  /** Durable on return. Errors: those of a commit. */
  async makeDirectory(path: RemotePath): Promise<void> {
    const mtimeMs = Math.floor(this.#clock.wallMs());
    await this.#options.tree.commit([
      { op: 'put', path, kind: 'directory', mode: directoryMode, mtimeMs, size: 0 },
    ]);
  }

  /** Removes a file, or a folder with all that is in it. Durable on return. Errors: `PATH_NOT_FOUND`. */
  async remove(path: RemotePath): Promise<void> {
    await this.#options.tree.commit([{ op: 'remove', path, recursive: true }]);
  }
}
