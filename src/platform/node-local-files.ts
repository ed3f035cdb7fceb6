import { constants, lstatSync, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { platform } from 'node:process';
import { type Bytes, fromUtf8 } from '../base/bytes.ts';
import { localListBatchMax } from '../base/limits.ts';
import type {
  LocalAttributes,
  LocalEntry,
  LocalFiles,
  LocalKind,
  LocalStat,
  LocalWriter,
} from '../ports/local-files.ts';
import { localError, makeLocalError } from './local-errors.ts';

const isWindows = platform === 'win32';
const windowsReserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** The file system of this computer. */
export class NodeLocalFiles implements LocalFiles {
  readonly foldsNames = isWindows || platform === 'darwin';

  stat(path: string): Promise<LocalStat> {
    return run(path, async () => statOf(await fs.lstat(path)));
  }

  async *list(directory: string): AsyncGenerator<readonly LocalEntry[]> {
    const names = await run(directory, () => fs.readdir(directory, { encoding: 'buffer' }));
    for (let from = 0; from < names.length; from += localListBatchMax) {
      yield names.slice(from, from + localListBatchMax).map((name) => entryOf(directory, name));
      // One batch of blocking calls takes a millisecond; then others get their turn.
      await new Promise((next) => setImmediate(next));
    }
  }

  readLink(path: string): Promise<string> {
    return run(path, async () => {
      const target = fromUtf8(await fs.readlink(path, { encoding: 'buffer' }));
      if (target === undefined) throw makeLocalError('LOCAL_NAME_INVALID', path);
      return target;
    });
  }

  makeDirectory(path: string): Promise<void> {
    return run(path, async () => {
      try {
        await fs.mkdir(path, { mode: 0o700 });
      } catch (error) {
        if ((error as { code?: string }).code !== 'EEXIST') throw error;
        const found = await fs.lstat(path);
        if (!found.isDirectory()) throw error;
        if ((found.mode & 0o300) !== 0o300) await fs.chmod(path, (found.mode & 0o7777) | 0o700);
      }
    });
  }

  create(path: string): Promise<LocalWriter> {
    return run(path, async () => {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      return new NodeLocalWriter(await fs.open(path, flags, 0o600), path);
    });
  }

  makeLink(path: string, target: string): Promise<void> {
    return run(path, () => fs.symlink(target, path));
  }

  replace(from: string, to: string): Promise<void> {
    return run(to, () => fs.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return run(path, () => fs.unlink(path));
  }

  setAttributes(directory: string, { mode, mtimeMs }: LocalAttributes): Promise<void> {
    return run(directory, async () => {
      await fs.utimes(directory, mtimeMs / 1000, mtimeMs / 1000);
      await fs.chmod(directory, mode);
    });
  }

  join(directory: string, name: string): string {
    return join(directory, name);
  }

  parentOf(path: string): string {
    return dirname(resolve(path));
  }

  nameOf(path: string): string {
    return basename(resolve(path));
  }

  acceptsName(name: string): boolean {
    if (name.includes('/') || name.includes('\0')) return false;
    if (!isWindows) return true;
    return (
      !/[\\:*?"<>|]/.test(name) && !hasControls(name) && !windowsReserved.test(name) && !/[. ]$/.test(name)
    );
  }
}

class NodeLocalWriter implements LocalWriter {
  readonly #handle: fs.FileHandle;
  readonly #path: string;

  constructor(handle: fs.FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  write(bytes: Bytes): Promise<void> {
    return run(this.#path, () => this.#handle.writeFile(bytes));
  }

  finish({ mode, mtimeMs }: LocalAttributes): Promise<void> {
    return run(this.#path, async () => {
      await this.#handle.chmod(mode);
      await this.#handle.utimes(mtimeMs / 1000, mtimeMs / 1000);
      await this.#handle.close();
    });
  }

  abandon(): Promise<void> {
    return run(this.#path, () => this.#handle.close());
  }
}

export function statOf(stats: Stats): LocalStat {
  const kind: LocalKind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return {
    kind,
    mode: stats.mode & 0o7777,
    mtimeMs: Math.floor(stats.mtimeMs),
    sizeBytes: kind === 'file' ? stats.size : 0,
  };
}

function entryOf(directory: string, bytes: Buffer): LocalEntry {
  const name = fromUtf8(bytes);
  const shownName = name ?? bytes.toString('utf8');
  if (name === undefined) return { name, shownName, stat: undefined };
  try {
    return { name, shownName, stat: statOf(lstatSync(join(directory, name))) };
  } catch {
    return { name, shownName, stat: undefined };
  }
}

function hasControls(name: string): boolean {
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) < 32) return true;
  return false;
}

async function run<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw localError(cause, path);
  }
}
