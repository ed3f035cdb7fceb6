import type { Bytes } from '../../base/bytes.ts';
import { AetherError, hasCode } from '../../base/errors.ts';
import { bundleBytesMax, bundleRoomBytes } from '../../base/face-limits.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';

export type BundleShelfErrorCode =
  | 'UPDATE_TOO_LARGE'
  /** The card has not so much room. */
  | 'UPDATE_NO_ROOM'
  /** A part came that does not follow the one before: somebody else sends one too. */
  | 'UPDATE_OUT_OF_ORDER'
  /** It ended before all of it had come. */
  | 'UPDATE_INCOMPLETE';

/** Names in the folder for updates. `taken`: from memory sticks, copied by a unit of the system (overlays/rootfs). */
export const bundlePath = 'bundle.raucb';
export const incomingPath = 'incoming.raucb';
const stickFolder = 'sticks';

/** The folder of a box where one bundle is kept, for itself and for the other boxes of the pool, and one comes in. */
export class BundleShelf {
  readonly #disk: Disk;
  #incoming: { readonly file: DiskFile; readonly totalBytes: number; bytes: number } | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Errors: those of the disk. */
  static async open(disk: Disk): Promise<BundleShelf> {
    await disk.makeDirectory(stickFolder);
    await removeIfThere(disk, incomingPath);
    return new BundleShelf(disk);
  }

  /**
   * Takes the next part of a bundle of `totalBytes`; the first, at 0, begins anew. Returns how much has come. Errors:
   * `BundleShelfErrorCode`, those of the disk.
   */
  async put(offset: number, totalBytes: number, bytes: Bytes): Promise<number> {
    if (offset === 0) await this.#begin(totalBytes);
    return this.#append(offset, totalBytes, bytes);
  }

  /** Takes all parts of a bundle, which `complete` then ends. Errors: those of `put`. */
  async receive(totalBytes: number, body: AsyncIterable<Bytes>): Promise<void> {
    let offset = 0;
    await this.#begin(totalBytes);
    for await (const bytes of body) offset = await this.#append(offset, totalBytes, bytes);
  }

  /** All of it has come, and is on disk. Errors: `UPDATE_INCOMPLETE`, those of the disk. */
  async complete(): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming === undefined || incoming.bytes !== incoming.totalBytes) {
      await incoming?.file.close();
      throw new AetherError<BundleShelfErrorCode>('UPDATE_INCOMPLETE', 'not all of the update has come', {
        help: 'Send it again.',
      });
    }
    try {
      await incoming.file.sync();
    } finally {
      await incoming.file.close();
    }
  }

  /** The bundle at `path` was found good: it takes the place of the one before. Errors: those of the disk. */
  async keep(path: string): Promise<void> {
    await this.#disk.rename(path, bundlePath);
    await this.#disk.syncDirectory('');
  }

  /** What came in is of no use. */
  async drop(path: string): Promise<void> {
    await removeIfThere(this.#disk, path);
  }

  /** Paths of bundles that came by memory sticks. Errors: those of the disk. */
  async fromSticks(): Promise<readonly string[]> {
    const names = await this.#disk.list(stickFolder);
    return names.filter((name) => name.endsWith('.raucb')).map((name) => `${stickFolder}/${name}`);
  }

  /** Length of the bundle that is kept; undefined: none is. Errors: those of the disk. */
  async sizeBytes(): Promise<number | undefined> {
    return this.#read((file) => file.sizeBytes());
  }

  /** Part of the bundle that is kept; shorter at its end. Undefined: none is. Errors: those of the disk. */
  async read(offset: number, bytes: number): Promise<Bytes | undefined> {
    return this.#read(async (file) => {
      const into = new Uint8Array(bytes);
      return into.subarray(0, await file.read(into, offset));
    });
  }

  async close(): Promise<void> {
    await this.#incoming?.file.close();
    this.#incoming = undefined;
  }

  async #append(offset: number, totalBytes: number, bytes: Bytes): Promise<number> {
    const incoming = this.#incoming;
    if (incoming === undefined || incoming.bytes !== offset || incoming.totalBytes !== totalBytes) {
      throw new AetherError<BundleShelfErrorCode>(
        'UPDATE_OUT_OF_ORDER',
        'the parts of the update do not fit together',
        {
          help: 'Somebody else may be sending an update to this box. Send it again from the beginning.',
        },
      );
    }
    if (offset + bytes.length > totalBytes) throw tooLarge(offset + bytes.length);
    await incoming.file.write([bytes], offset);
    incoming.bytes += bytes.length;
    return incoming.bytes;
  }

  async #begin(totalBytes: number): Promise<void> {
    await this.close();
    if (totalBytes > bundleBytesMax) throw tooLarge(totalBytes);
    await removeIfThere(this.#disk, incomingPath);
    const { freeBytes } = await this.#disk.space();
    if (freeBytes < totalBytes + bundleRoomBytes) {
      throw new AetherError<BundleShelfErrorCode>(
        'UPDATE_NO_ROOM',
        'the card of the box has no room for the update',
        {
          help: 'The journal and updates share it with the system; a larger card helps.',
        },
      );
    }
    const file = await this.#disk.open(incomingPath, 'create');
    this.#incoming = { file, totalBytes, bytes: 0 };
  }

  async #read<T>(action: (file: DiskFile) => Promise<T>): Promise<T | undefined> {
    const file = await this.#disk.open(bundlePath, 'read').catch((error: unknown) => {
      if (hasCode(error, 'DISK_NOT_FOUND')) return undefined;
      throw error;
    });
    if (file === undefined) return undefined;
    try {
      return await action(file);
    } finally {
      await file.close();
    }
  }
}

async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!hasCode(error, 'DISK_NOT_FOUND')) throw error;
  }
}

function tooLarge(bytes: number): AetherError<BundleShelfErrorCode> {
  return new AetherError('UPDATE_TOO_LARGE', `an update of ${bytes} bytes is no update of this box`, {
    help: `It has at most ${bundleBytesMax} bytes.`,
  });
}
