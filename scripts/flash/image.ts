import { readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { newestOf } from '../../firmware/paths.ts';
import { flashError, imageInvalid } from './errors.ts';
import { type Partition, readPartitions, sectorBytes } from './gpt.ts';

/** The image of a box's card, open to be read. */
export class Image {
  readonly path: string;
  readonly bytes: number;
  readonly partitions: readonly Partition[];
  readonly #handle: FileHandle;

  private constructor(path: string, bytes: number, partitions: readonly Partition[], handle: FileHandle) {
    this.path = path;
    this.bytes = bytes;
    this.partitions = partitions;
    this.#handle = handle;
  }

  /** Errors: `IMAGE_NOT_FOUND`, `IMAGE_INVALID`. */
  static async open(path: string): Promise<Image> {
    let handle: FileHandle;
    try {
      handle = await open(path);
    } catch (cause) {
      throw noImage(`there is no image ${path}`, cause);
    }
    try {
      const { size } = await handle.stat();
      if (size === 0 || size % sectorBytes !== 0)
        throw imageInvalid(`its ${size} bytes are no whole sectors`);
      const partitions = await readPartitions(async (offset, bytes) => {
        const buffer = Buffer.alloc(bytes);
        await readFully(handle, buffer, offset);
        return buffer;
      }, size);
      return new Image(path, size, partitions, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  read(bytes: Buffer, offset: number): Promise<void> {
    return readFully(this.#handle, bytes, offset);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The image in `folder` that was made last. Throws `IMAGE_NOT_FOUND`. */
export function newestImage(folder: string): string {
  let names: readonly string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.img'));
  } catch (cause) {
    throw noImage(`there is no folder ${folder}`, cause);
  }
  const newest = newestOf(names.map((name) => join(folder, name)));
  if (newest === undefined) throw noImage(`there is no image in ${folder}`);
  return newest;
}

async function readFully(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw imageInvalid('it became shorter while it was read');
    done += bytesRead;
  }
}

function noImage(message: string, cause?: unknown): Error {
  const help = 'Make one with `npm run image -- --board rpi`, or name one with --image FILE.';
  return flashError('IMAGE_NOT_FOUND', message, help, cause);
}
