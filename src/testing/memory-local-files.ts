import type { Bytes } from '../base/bytes.ts';
import { concat } from '../base/bytes.ts';
import { AetherError } from '../base/errors.ts';
import type {
  BlockingFile,
  BlockingFiles,
  LocalAttributes,
  LocalEntry,
  LocalFiles,
  LocalFilesErrorCode,
  LocalStat,
  LocalWriter,
} from '../ports/local-files.ts';

export type MemoryEntry =
  | { kind: 'file'; bytes: Bytes; mode: number; mtimeMs: number }
  | { kind: 'directory'; mode: number; mtimeMs: number }
  | { kind: 'symlink'; target: string; mode: number; mtimeMs: number }
  | { kind: 'other'; mode: number; mtimeMs: number };

/** A person's files in memory, with `/` between names. Its root is there from the beginning. */
export class MemoryLocalFiles implements LocalFiles {
  readonly entries = new Map<string, MemoryEntry>([['/', { kind: 'directory', mode: 0o755, mtimeMs: 0 }]]);
  readonly foldsNames: boolean;
  /** Paths that may not be read. */
  readonly denied = new Set<string>();
  /** Called before each read of a file's bytes. */
  onRead: (path: string) => void = () => {};
  /** No byte more than these may be written. */
  freeBytes = Number.POSITIVE_INFINITY;

  constructor(options: { readonly foldsNames?: boolean } = {}) {
    this.foldsNames = options.foldsNames ?? false;
  }

  // -- for tests -------------------------------------------------------------------------------------------

  file(path: string, bytes: Bytes, mode = 0o644, mtimeMs = 1000): this {
    return this.#put(path, { kind: 'file', bytes, mode, mtimeMs });
  }

  directory(path: string, mode = 0o755, mtimeMs = 1000): this {
    return this.#put(path, { kind: 'directory', mode, mtimeMs });
  }

  link(path: string, target: string): this {
    return this.#put(path, { kind: 'symlink', target, mode: 0o777, mtimeMs: 1000 });
  }

  other(path: string): this {
    return this.#put(path, { kind: 'other', mode: 0o644, mtimeMs: 1000 });
  }

  /** Everything below `path`, by path relative to it. Times of links are left out, as no system restores them. */
  below(path: string): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const [name, entry] of [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!name.startsWith(`${path}/`)) continue;
      const { mtimeMs, mode, ...rest } = entry;
      found[name.slice(path.length + 1)] = entry.kind === 'symlink' ? rest : { ...rest, mode, mtimeMs };
    }
    return found;
  }

  // -- LocalFiles ------------------------------------------------------------------------------------------

  async stat(path: string): Promise<LocalStat> {
    return statOf(this.#entry(path));
  }

  async *list(directory: string): AsyncGenerator<readonly LocalEntry[]> {
    if (this.#entry(directory).kind !== 'directory') throw failure('LOCAL_NOT_FOUND', directory);
    if (this.denied.has(directory)) throw failure('LOCAL_DENIED', directory);
    const prefix = directory === '/' ? '/' : `${directory}/`;
    const names = [...this.entries.keys()].filter(
      (path) => path !== '/' && path.startsWith(prefix) && !path.slice(prefix.length).includes('/'),
    );
    for (let from = 0; from < names.length; from += 3) {
      yield names.slice(from, from + 3).map((path) => {
        const shownName = path.slice(prefix.length);
        const name = shownName.includes('\ufffd') ? undefined : shownName;
        return { name, shownName, stat: name === undefined ? undefined : statOf(this.#entry(path)) };
      });
    }
  }

  async readLink(path: string): Promise<string> {
    const entry = this.#entry(path);
    if (entry.kind !== 'symlink') throw failure('LOCAL_NAME_INVALID', path);
    return entry.target;
  }

  async makeDirectory(path: string): Promise<void> {
    const there = this.#find(path);
    if (there?.kind === 'directory') return;
    if (there !== undefined) throw failure('LOCAL_EXISTS', path);
    this.#needParent(path);
    this.entries.set(path, { kind: 'directory', mode: 0o700, mtimeMs: 5 });
  }

  async create(path: string): Promise<LocalWriter> {
    if (this.#find(path) !== undefined) throw failure('LOCAL_EXISTS', path);
    this.#needParent(path);
    const entry: MemoryEntry = { kind: 'file', bytes: new Uint8Array(0), mode: 0o600, mtimeMs: 5 };
    this.entries.set(path, entry);
    return {
      write: async (bytes) => {
        this.freeBytes -= bytes.length;
        if (this.freeBytes < 0) throw failure('LOCAL_FULL', path);
        entry.bytes = concat([entry.bytes, bytes.slice()]);
      },
      finish: async ({ mode, mtimeMs }) => void Object.assign(entry, { mode, mtimeMs }),
      abandon: async () => {},
    };
  }

  async makeLink(path: string, target: string): Promise<void> {
    if (this.#find(path) !== undefined) throw failure('LOCAL_EXISTS', path);
    this.#needParent(path);
    this.entries.set(path, { kind: 'symlink', target, mode: 0o777, mtimeMs: 5 });
  }

  async replace(from: string, to: string): Promise<void> {
    const entry = this.#entry(from);
    if (this.#find(to)?.kind === 'directory') throw failure('LOCAL_EXISTS', to);
    this.entries.delete(from);
    this.entries.set(to, entry);
  }

  async remove(path: string): Promise<void> {
    if (this.#entry(path).kind === 'directory') throw failure('LOCAL_DENIED', path);
    this.entries.delete(path);
  }

  async setAttributes(directory: string, attributes: LocalAttributes): Promise<void> {
    Object.assign(this.#entry(directory), attributes);
  }

  join(directory: string, name: string): string {
    return directory === '/' ? `/${name}` : `${directory}/${name}`;
  }

  parentOf(path: string): string {
    return path.slice(0, Math.max(1, path.lastIndexOf('/')));
  }

  nameOf(path: string): string {
    return path.slice(path.lastIndexOf('/') + 1);
  }

  acceptsName(name: string): boolean {
    return !name.includes('/');
  }

  /** The same files, for a sealing thread. */
  readonly blocking: BlockingFiles = {
    open: (path) => {
      const first = this.#entry(path);
      if (this.denied.has(path)) throw failure('LOCAL_DENIED', path);
      if (first.kind !== 'file') throw failure('LOCAL_UNREADABLE', path);
      return this.#blockingFile(path);
    },
  };

  #blockingFile(path: string): BlockingFile {
    let position = 0;
    const entry = () => this.#entry(path) as Extract<MemoryEntry, { kind: 'file' }>;
    return {
      stat: () => ({ ...statOf(entry()), changeToken: `${entry().bytes.length} ${entry().mtimeMs}` }),
      read: (into) => {
        this.onRead(path);
        const part = entry().bytes.subarray(position, position + Math.min(into.length, 100_000));
        into.set(part);
        position += part.length;
        return part.length;
      },
      rewind: () => {
        position = 0;
      },
      close: () => {},
    };
  }

  #put(path: string, entry: MemoryEntry): this {
    const parent = this.parentOf(path);
    if (!this.entries.has(parent)) this.directory(parent);
    this.entries.set(path, entry);
    return this;
  }

  #find(path: string): MemoryEntry | undefined {
    return this.entries.get(path);
  }

  #entry(path: string): MemoryEntry {
    const entry = this.#find(path);
    if (entry === undefined) throw failure('LOCAL_NOT_FOUND', path);
    return entry;
  }

  #needParent(path: string): void {
    if (this.#find(this.parentOf(path))?.kind !== 'directory') throw failure('LOCAL_NOT_FOUND', path);
  }
}

function statOf(entry: MemoryEntry): LocalStat {
  const { kind, mode, mtimeMs } = entry;
  return { kind, mode, mtimeMs, sizeBytes: kind === 'file' ? entry.bytes.length : 0 };
}

function failure(code: LocalFilesErrorCode, path: string): AetherError<LocalFilesErrorCode> {
  return new AetherError(code, `${code} at ${path}`, { fields: { path } });
}
