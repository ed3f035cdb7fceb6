import { hash } from 'node:crypto';
import { toHex, utf8 } from '../../base/bytes.ts';
import { messageOf } from '../../base/errors.ts';
import { downloadBytesAheadMax, downloadFilesMax, nameBytesMax } from '../../base/limits.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { LocalFiles, LocalStat, LocalWriter } from '../../ports/local-files.ts';
import { type ChunkSource, readContent } from '../contents/content-reader.ts';
import { filesError } from '../files-error.ts';
import type { PoolTree } from '../pool-tree.ts';
import { nameProblem, type RemotePath } from '../remote-path.ts';
import type { RemoteEntry } from '../tree/remote-entry.ts';
import { LocalNames } from './local-names.ts';

export interface DownloadPorts {
  readonly files: LocalFiles;
  readonly entropy: Entropy;
  readonly chunks: ChunkSource;
  readonly tree: Pick<PoolTree, 'stat' | 'list'>;
}

export type DownloadEvent =
  /** More was found; totals so far. */
  | { readonly kind: 'found'; readonly files: number; readonly bytes: number }
  /** So many more bytes are written. */
  | { readonly kind: 'written'; readonly bytes: number }
  /** What is at `path` (local) is complete. */
  | { readonly kind: 'fetched'; readonly path: string }
  /** What belongs at `path` is not there. */
  | { readonly kind: 'warning'; readonly path: string; readonly code: string; readonly message: string };

export interface DownloadResult {
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
  /** How many entries could not be fetched or written. */
  readonly failed: number;
}

interface MadeDirectory {
  readonly path: string;
  readonly entry: RemoteEntry;
}

interface FoundLink {
  readonly path: string;
  readonly target: string;
}

/** Errors after which nothing else can succeed either. */
const fatalCodes = new Set(['LOCAL_FULL', 'POOL_UNREACHABLE', 'LINK_CLOSED']);

/**
 * Fetches what is at `remote` to `destination`, as `cp -r` does: into it when it is a directory, else under that
 * name. Files that are there are replaced when their successor is complete; it is written beside them as
 * `.<name>.<random digits>.aether-part`, so that no file of the pool can have that name. Links are made after everything else, and nothing is ever written through one. Entries
 * that cannot be fetched are told and left out. Rejects with `PATH_NOT_FOUND` (nothing at `remote`), `LOCAL_…` of
 * the destination itself, `POOL_UNREACHABLE`, `LOCAL_FULL`.
 */
export async function getPath(
  remote: RemotePath,
  destination: string,
  ports: DownloadPorts,
  onEvent: (event: DownloadEvent) => void = () => {},
): Promise<DownloadResult> {
  return new Download(ports, onEvent).run(remote, destination);
}

class Download {
  readonly #ports: DownloadPorts;
  readonly #onEvent: (event: DownloadEvent) => void;
  readonly #places = new Semaphore(downloadFilesMax);
  readonly #directories: MadeDirectory[] = [];
  readonly #links: FoundLink[] = [];
  #failure: { readonly error: unknown } | undefined;
  readonly #found = { files: 0, bytes: 0 };
  readonly #result = { files: 0, directories: 0, links: 0, bytes: 0, failed: 0 };

  constructor(ports: DownloadPorts, onEvent: (event: DownloadEvent) => void) {
    this.#ports = ports;
    this.#onEvent = onEvent;
  }

  async run(remote: RemotePath, destination: string): Promise<DownloadResult> {
    const { files, tree } = this.#ports;
    const entry = await tree.stat(remote);
    const there = await statOrNothing(files, destination);
    const name = remote[remote.length - 1];
    const target =
      there?.kind === 'directory' && name !== undefined ? this.#pathIn(destination, name) : destination;
    try {
      await this.#entry(entry, remote, target);
    } catch (error) {
      this.#failure ??= { error };
    }
    // All places free: all files are done.
    await this.#places.acquire(downloadFilesMax);
    this.#check();
    for (const link of this.#links) await this.#attempt(link.path, () => this.#makeLink(link));
    // The deepest first: what is made in a directory changes its time.
    for (const made of this.#directories.reverse()) {
      await this.#attempt(made.path, () => files.setAttributes(made.path, attributesOf(made.entry)));
    }
    this.#check();
    return { ...this.#result };
  }

  async #entry(entry: RemoteEntry, remote: RemotePath, path: string): Promise<void> {
    if (entry.kind === 'directory') await this.#directory(entry, remote, path);
    else if (entry.kind === 'symlink') this.#links.push({ path, target: entry.target ?? '' });
    else await this.#file(entry, path);
  }

  async #directory(entry: RemoteEntry, remote: RemotePath, path: string): Promise<void> {
    const { files, tree } = this.#ports;
    const made = await this.#attempt(path, () => files.makeDirectory(path));
    if (!made) return;
    // The root of the pool was made by nobody: its attributes say nothing.
    if (remote.length > 0) this.#directories.push({ path, entry });
    this.#result.directories++;
    const names = new LocalNames(files);
    for await (const child of tree.list(remote)) {
      if (this.#failure !== undefined) return;
      await this.#attempt(path, async () => {
        const childPath = this.#pathIn(path, names.claim(child));
        await this.#entry(child, [...remote, child.name], childPath);
      });
    }
  }

  /** Begins a file; resolves when there is room for another. */
  async #file(entry: RemoteEntry, path: string): Promise<void> {
    this.#found.files++;
    this.#found.bytes += entry.size;
    this.#onEvent({ kind: 'found', ...this.#found });
    await this.#places.acquire(1);
    this.#attempt(path, () => this.#writeFile(entry, path))
      .then((written) => {
        if (!written) return;
        this.#result.files++;
        this.#result.bytes += entry.size;
        this.#onEvent({ kind: 'fetched', path });
      })
      .finally(() => this.#places.release(1));
  }

  async #writeFile(entry: RemoteEntry, path: string): Promise<void> {
    const { files, chunks, entropy } = this.#ports;
    if (entry.content === undefined) throw filesError('CONTENT_INVALID', 'a file without contents');
    const there = await statOrNothing(files, path);
    if (there?.kind === 'directory') throw exists(path);
    const partPath = partPathOf(files, path, entropy);
    const writer = await files.create(partPath);
    try {
      await this.#writeContent(writer, entry, chunks);
      await writer.finish(attributesOf(entry));
    } catch (error) {
      await writer.abandon().catch(() => {});
      await removeIfThere(files, partPath).catch(() => {});
      throw error;
    }
    await files.replace(partPath, path);
  }

  async #writeContent(writer: LocalWriter, entry: RemoteEntry, chunks: ChunkSource): Promise<void> {
    let size = 0;
    const options = { readAheadBytes: downloadBytesAheadMax };
    for await (const bytes of readContent(entry.content!, chunks, options)) {
      await writer.write(bytes);
      size += bytes.length;
      this.#onEvent({ kind: 'written', bytes: bytes.length });
      this.#check();
    }
    if (size !== entry.size) throw filesError('CONTENT_INVALID', 'a file of another length');
  }

  async #makeLink({ path, target }: FoundLink): Promise<void> {
    const { files } = this.#ports;
    const there = await statOrNothing(files, path);
    if (there?.kind === 'directory') throw exists(path);
    if (there !== undefined) await files.remove(path);
    await files.makeLink(path, target);
    this.#result.links++;
    this.#onEvent({ kind: 'fetched', path });
  }

  /** `name` in `directory`. Errors: `PATH_INVALID`, `LOCAL_NAME_INVALID`: it would be elsewhere, or cannot be. */
  #pathIn(directory: string, name: string): string {
    const problem = nameProblem(name);
    if (problem !== undefined) throw filesError('PATH_INVALID', `the pool names an entry by ${problem}`);
    if (!this.#ports.files.acceptsName(name)) {
      throw filesError('PATH_INVALID', 'this system has no files of that name');
    }
    return this.#ports.files.join(directory, name);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Runs `action`; an error is told as a warning, and only ends everything when it must. */
  async #attempt(path: string, action: () => Promise<void>): Promise<boolean> {
    if (this.#failure !== undefined) return false;
    try {
      await action();
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || isFatal(error)) this.#failure ??= { error };
      else {
        this.#result.failed++;
        this.#onEvent({ kind: 'warning', path, code, message: messageOf(error) });
      }
      return false;
    }
  }
}

/** A chunk that only boxes which are off may have costs one file; what the others hold can still be fetched. */
function isFatal(error: unknown): boolean {
  const { code = '', fields } = error as { code?: string; fields?: Readonly<Record<string, unknown>> };
  return fatalCodes.has(code) && !(Number(fields?.silent) < Number(fields?.boxes));
}

/** Permission bits only: what runs as somebody else (setuid) is not brought back. */
function attributesOf({ mode, mtimeMs }: RemoteEntry): { readonly mode: number; readonly mtimeMs: number } {
  return { mode: mode & 0o777, mtimeMs };
}

async function statOrNothing(files: LocalFiles, path: string): Promise<LocalStat | undefined> {
  try {
    return await files.stat(path);
  } catch (error) {
    if ((error as { code?: string }).code === 'LOCAL_NOT_FOUND') return undefined;
    throw error;
  }
}

async function removeIfThere(files: LocalFiles, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if ((error as { code?: string }).code !== 'LOCAL_NOT_FOUND') throw error;
  }
}

function partPathOf(files: LocalFiles, path: string, entropy: Entropy): string {
  const name = files.nameOf(path);
  // The longest names leave no room for more.
  const stem = utf8(name).length <= nameBytesMax - 31 ? name : hash('sha256', name);
  return files.join(files.parentOf(path), `.${stem}.${toHex(entropy.bytes(8))}.aether-part`);
}

function exists(path: string) {
  return filesError('IS_A_DIRECTORY', 'a directory is where a file belongs', { fields: { path } });
}
