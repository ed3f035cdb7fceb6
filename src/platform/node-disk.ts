import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { assert } from '../base/assert.ts';
import { type Bytes, sizeOf } from '../base/bytes.ts';
import type { Disk, DiskFile, DiskOpenMode, DiskSpace } from '../ports/disk.ts';
import { diskError, makeDiskError } from './disk-errors.ts';

const flagsOf: Readonly<Record<DiskOpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
  exclusive: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** A folder of this computer, for its owner only (files 0600, folders 0700). */
export class NodeDisk implements Disk {
  readonly #root: string;
  readonly #mountPoint: boolean;
  /** Which folder the root was when it was first seen: another one in its place is another disk. */
  #identity: string | undefined;

  /**
   * `rootPath` need not exist yet; `makeDirectory('')` makes it. `mountPoint`: without a file system mounted at the root
   * the disk is not there, and the folder is not it.
   */
  constructor(rootPath: string, { mountPoint = false }: { readonly mountPoint?: boolean } = {}) {
    this.#root = resolve(rootPath);
    this.#mountPoint = mountPoint;
  }

  async open(path: string, mode: DiskOpenMode): Promise<DiskFile> {
    return this.#run(path, async (whole) => {
      await this.checkRoot();
      return new NodeDiskFile(this, await fs.open(whole, flagsOf[mode], 0o600), whole);
    });
  }

  list(path: string): Promise<readonly string[]> {
    return this.#run(path, async (whole) => {
      if (this.#mountPoint) await this.#checkMounted();
      return (await fs.readdir(whole)).sort();
    });
  }

  async #checkMounted(): Promise<void> {
    const root = await fs.stat(this.#root);
    const above = await fs.stat(dirname(this.#root));
    if (root.dev === above.dev)
      throw Object.assign(new Error('nothing is mounted there'), { code: 'ENOENT' });
  }

  makeDirectory(path: string): Promise<void> {
    return this.#run(path, async (whole) => {
      // A disk that was taken away must not come back as an empty folder of the disk below it.
      if (this.#identity !== undefined) await this.checkRoot();
      const first = await fs.mkdir(whole, { recursive: true, mode: 0o700 });
      // `syncDirectory` makes names inside the root durable; the root's own is nobody else's to see to.
      const made = this.#identity === undefined ? first : undefined;
      for (let folder = this.#root; made !== undefined && folder.length >= made.length; ) {
        folder = dirname(folder);
        await syncFolder(folder);
      }
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run(from, (whole) => fs.rename(whole, this.#resolve(to)));
  }

  remove(path: string): Promise<void> {
    return this.#run(path, (whole) => fs.unlink(whole));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#run(path, async (whole) => {
      await syncFolder(whole);
      await this.checkRoot();
    });
  }

  space(): Promise<DiskSpace> {
    return this.#run('', async (whole) => {
      await this.checkRoot();
      const { blocks, bavail, bsize } = await fs.statfs(whole);
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    });
  }

  /** @internal Fails with `DISK_GONE` when the root is no longer the folder that it was. */
  async checkRoot(): Promise<void> {
    let identity: string;
    try {
      const { dev, ino } = await fs.stat(this.#root);
      identity = `${dev}:${ino}`;
    } catch (cause) {
      throw this.#identity === undefined
        ? diskError(cause, this.#root)
        : makeDiskError('DISK_GONE', this.#root, cause);
    }
    this.#identity ??= identity;
    if (identity !== this.#identity) throw makeDiskError('DISK_GONE', this.#root);
  }

  #resolve(path: string): string {
    assert(!path.startsWith('/') && !path.includes('\0'), 'a path on a disk is relative');
    assert(!path.split('/').includes('..'), 'a path on a disk has no ..');
    return join(this.#root, path);
  }

  async #run<T>(path: string, action: (whole: string) => Promise<T>): Promise<T> {
    const whole = this.#resolve(path);
    try {
      return await action(whole);
    } catch (cause) {
      const error = diskError(cause, whole);
      if (error.code === 'DISK_NOT_FOUND') await this.#failWhenGone();
      throw error;
    }
  }

  /** A name that is not found on a disk that was once there may mean that the disk is gone. */
  async #failWhenGone(): Promise<void> {
    if (this.#identity !== undefined) await this.checkRoot();
  }
}

class NodeDiskFile implements DiskFile {
  readonly #disk: NodeDisk;
  readonly #handle: fs.FileHandle;
  readonly #path: string;

  constructor(disk: NodeDisk, handle: fs.FileHandle, path: string) {
    this.#disk = disk;
    this.#handle = handle;
    this.#path = path;
  }

  async read(into: Bytes, position: number): Promise<number> {
    try {
      let done = 0;
      while (done < into.length) {
        const { bytesRead } = await this.#handle.read(into, done, into.length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async write(parts: readonly Bytes[], position: number): Promise<void> {
    try {
      for (let from = 0; from < parts.length; ) {
        const some = parts.slice(from, from + partsPerWriteMax);
        await this.#writeWhole(some, position);
        position += sizeOf(some);
        from += some.length;
      }
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      // One after the other: each call of a disk holds one thread.
      await this.#disk.checkRoot();
      const { nlink } = await this.#handle.stat();
      if (nlink === 0) throw makeDiskError('DISK_GONE', this.#path);
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async sizeBytes(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    try {
      await this.#handle.truncate(sizeBytes);
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } catch (cause) {
      throw diskError(cause, this.#path);
    }
  }

  async #writeWhole(parts: readonly Bytes[], position: number): Promise<void> {
    let left = parts;
    while (sizeOf(left) > 0) {
      const { bytesWritten } = await this.#handle.writev(left, position);
      position += bytesWritten;
      left = dropFront(left, bytesWritten);
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** IOV_MAX of Linux and macOS. */
const partsPerWriteMax = 1024;

/** What is left of `parts` after the first `count` bytes. */
function dropFront(parts: readonly Bytes[], count: number): readonly Bytes[] {
  let index = 0;
  while (index < parts.length && count >= parts[index]!.length) count -= parts[index++]!.length;
  if (index === parts.length) return [];
  return [parts[index]!.subarray(count), ...parts.slice(index + 1)];
}
