import { type Stats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Card, OpenCard } from './card.ts';
import { cardError } from './errors.ts';
import { sectorBytes } from './gpt.ts';

/**
 * What is no block device: a regular file plays a card, and so does one that is not there yet (`stats` undefined,
 * `cause` what the system said).
 */
export function fileCard(path: string, stats: Stats | undefined, cause?: unknown): Card {
  const isDevice = resolve(path).startsWith('/dev/');
  if (stats === undefined && ((cause as { code?: unknown }).code !== 'ENOENT' || isDevice))
    throw cardError(cause, path);
  return {
    path,
    kind: stats === undefined || stats.isFile() ? 'file' : 'other',
    model: null,
    sizeBytes: stats?.size ?? 0,
    sectorBytes,
    bus: null,
    isRemovable: false,
    isReadOnly: false,
    isSystem: false,
    isInternal: false,
    uses: [],
    mounts: [],
    zeroesItself: true,
  };
}

/** Whether two paths lead to one file, by whatever links. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

/** A file as a card, made where there is none. It keeps its length, or grows to that of the image. */
export async function openFileCard(path: string): Promise<OpenCard> {
  try {
    const handle = await open(path, 'a+').then(async (made) => {
      await made.close();
      return open(path, 'r+');
    });
    return new OpenFile(path, handle, handle, false);
  } catch (cause) {
    throw cardError(cause, path);
  }
}

/** A card by its descriptors; writer and reader may be the same. */
export class OpenFile implements OpenCard {
  readonly readsMedium: boolean;
  readonly #path: string;
  readonly #writer: FileHandle;
  readonly #reader: FileHandle;

  constructor(path: string, writer: FileHandle, reader: FileHandle, readsMedium: boolean) {
    this.#path = path;
    this.#writer = writer;
    this.#reader = reader;
    this.readsMedium = readsMedium;
  }

  /** A file that was cut off and made longer again reads as zeros. */
  async zero(bytes: number): Promise<boolean> {
    return this.#attempt(async () => {
      const { size } = await this.#writer.stat();
      await this.#writer.truncate(0);
      await this.#writer.truncate(Math.max(size, bytes));
      return true;
    });
  }

  write(bytes: Buffer, offset: number): Promise<void> {
    return this.#attempt(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#writer.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    });
  }

  read(bytes: Buffer, offset: number): Promise<void> {
    return this.#attempt(async () => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await this.#reader.read(bytes, done, bytes.length - done, offset + done);
        if (bytesRead === 0) throw new Error(`it ends at byte ${offset + done}`);
        done += bytesRead;
      }
    });
  }

  flush(): Promise<void> {
    return this.#attempt(() => this.#writer.sync());
  }

  close(): Promise<void> {
    return this.#attempt(async () => {
      await this.#reader.close();
      if (this.#writer !== this.#reader) await this.#writer.close();
    });
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      throw cardError(cause, this.#path);
    }
  }
}
