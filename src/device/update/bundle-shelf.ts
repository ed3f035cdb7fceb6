import { type Bytes, emptyBytes, fromUtf8, utf8 } from '../../base/bytes.ts';
import { AetherError, describeError, hasCode } from '../../base/errors.ts';
import { bundleBytesMax, bundleRoomBytes } from '../../base/face-limits.ts';
import { printable } from '../../base/format.ts';
import type { Log } from '../../base/log.ts';
import type { Disk, DiskFile } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';

export type BundleShelfErrorCode =
  | 'UPDATE_TOO_LARGE'
  /** The card has not so much room. */
  | 'UPDATE_NO_ROOM'
  /** A part came that does not follow the one before: somebody else sends one too. */
  | 'UPDATE_OUT_OF_ORDER'
  /** It ended before all of it had come. */
  | 'UPDATE_INCOMPLETE';

/**
 * Names in the folder for updates. `sticks`: what memory sticks brought, copied by a unit of the system, which says in a
 * `.problem` what it could not take (fetch-from-stick). `reserve`: room that is kept for an update (keep-reserve).
 */
export const bundlePath = 'bundle.raucb';
export const incomingPath = 'incoming.raucb';
/** The version of the bundle that is kept, as whoever found it good read it there. */
const versionPath = 'bundle.version';
const stickFolder = 'sticks';
const reservePath = 'reserve';
/** A sentence. */
const problemBytesMax = 200;
const versionBytesMax = 200;

export interface FromSticks {
  /** Paths of bundles. */
  readonly bundles: readonly string[];
  /** Why others could not be copied, each a sentence without its full stop. */
  readonly problems: readonly string[];
}

/** A bundle that is coming in. */
interface Incoming {
  readonly file: DiskFile;
  readonly totalBytes: number;
  bytes: number;
}

/** What the shelf asks whoever installs what is on it. */
export interface BundleUse {
  /** Whether a bundle that comes now could be staged. Errors: `UPDATE_BUSY`. */
  requireIdle(): void;
  /** What is kept waits to be installed; else it is there for other boxes only. */
  readonly stagedHere: boolean;
}

/** The folder of a box where one bundle is kept, for itself and for the other boxes of the pool, and one comes in. */
export class BundleShelf {
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #use: () => BundleUse;
  #incoming: Incoming | undefined;
  #edition = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(disk: Disk, log: Log, use: () => BundleUse) {
    this.#disk = disk;
    this.#log = log;
    this.#use = use;
  }

  /**
   * What came in when the box stopped goes, where the card lets it. What sticks left half copied does not: one may be
   * copied at this moment (overlays/rootfs sees to it).
   */
  static async open(disk: Disk, log: Log, use: () => BundleUse): Promise<BundleShelf> {
    const shelf = new BundleShelf(disk, log, use);
    await shelf.#tidy(() => disk.makeDirectory(stickFolder));
    await shelf.#tidy(() => removeIfThere(disk, incomingPath));
    return shelf;
  }

  /**
   * Takes the next part of a bundle of `totalBytes`; the first, at 0, begins anew. Returns how much has come. Errors:
   * `BundleShelfErrorCode`, `UPDATE_BUSY`, those of the disk.
   */
  async put(offset: number, totalBytes: number, bytes: Bytes): Promise<number> {
    if (offset === 0) await this.#begin(totalBytes);
    return this.#append(offset, totalBytes, bytes);
  }

  /** Takes all parts of a bundle, which `complete` then ends; of one that stops nothing is left. Errors: those of `put`. */
  async receive(totalBytes: number, body: AsyncIterable<Bytes>): Promise<void> {
    const incoming = await this.#begin(totalBytes);
    let offset = 0;
    let ended = false;
    try {
      for await (const bytes of body) offset = await this.#append(offset, totalBytes, bytes);
      ended = true;
    } finally {
      if (!ended) await this.#tidy(() => this.#giveUp(incoming));
    }
  }

  /**
   * All of it has come, and is on disk. One that is not whole goes on: somebody else has begun it. Errors:
   * `UPDATE_INCOMPLETE`, those of the disk.
   */
  complete(): Promise<void> {
    return this.#inTurn(async () => {
      const incoming = this.#incoming;
      if (incoming === undefined || incoming.bytes !== incoming.totalBytes) throw incomplete();
      this.#incoming = undefined;
      try {
        await incoming.file.sync();
      } finally {
        await incoming.file.close();
      }
    });
  }

  /** The bundle at `path` was found good: it takes the place of the one before. Errors: those of the disk. */
  keep(path: string, version: string): Promise<void> {
    return this.#inTurn(async () => {
      await replaceFile(this.#disk, versionPath, utf8(version));
      await this.#disk.rename(path, bundlePath);
      this.#edition++;
      await this.#disk.syncDirectory('');
    });
  }

  /** What came in or was brought is of no use. What is coming in stays: it is somebody else's. Errors: those of the disk. */
  drop(path: string): Promise<void> {
    return this.#inTurn(async () => {
      if (path === incomingPath && this.#incoming !== undefined) return;
      await removeIfThere(this.#disk, path);
    });
  }

  /** What memory sticks have brought; what could not be copied is told once. Errors: those of the disk. */
  async fromSticks(): Promise<FromSticks> {
    const names = await unlessMissing(this.#disk.list(stickFolder));
    const paths = (names ?? []).map((name) => `${stickFolder}/${name}`);
    const problems: string[] = [];
    for (const path of paths.filter((each) => each.endsWith('.problem'))) {
      const said = await this.#read(path, (file) => readUpTo(file, 0, problemBytesMax));
      await removeIfThere(this.#disk, path);
      problems.push(printable((fromUtf8(said ?? emptyBytes) ?? '').trim()));
    }
    return { bundles: paths.filter((each) => each.endsWith('.raucb')), problems };
  }

  /** Another number whenever another bundle is kept, or none any more. */
  get edition(): number {
    return this.#edition;
  }

  /** Length of the bundle that is kept; undefined: none is. Errors: those of the disk. */
  async sizeBytes(): Promise<number | undefined> {
    return this.#read(bundlePath, (file) => file.sizeBytes());
  }

  /**
   * The version of the bundle that is kept; undefined: none is, or nobody noted it. Not asked of the bundle: the system that
   * it brought may believe another key than the one that signed it. Errors: those of the disk.
   */
  async version(): Promise<string | undefined> {
    const noted = await readFile(this.#disk, versionPath, versionBytesMax);
    return noted === undefined ? undefined : fromUtf8(noted);
  }

  /** Part of the bundle that is kept; shorter at its end. Undefined: none is. Errors: those of the disk. */
  async read(offset: number, bytes: number): Promise<Bytes | undefined> {
    return this.#read(bundlePath, (file) => readUpTo(file, offset, bytes));
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  async #stop(): Promise<void> {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    await incoming?.file.close();
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

  #begin(totalBytes: number): Promise<Incoming> {
    return this.#inTurn(async () => {
      this.#use().requireIdle();
      if (totalBytes > bundleBytesMax) throw tooLarge(totalBytes);
      await this.#stop();
      await removeIfThere(this.#disk, incomingPath);
      await this.#makeRoom(totalBytes);
      const file = await this.#disk.open(incomingPath, 'create');
      this.#incoming = { file, totalBytes, bytes: 0 };
      return this.#incoming;
    });
  }

  /**
   * The reserve is given up where that helps, which a later start of the machine makes anew; so is the bundle that is kept,
   * unless it waits to be installed.
   */
  async #makeRoom(bytes: number): Promise<void> {
    const missing = bytes + bundleRoomBytes - (await this.#disk.space()).freeBytes;
    if (missing <= 0) return;
    const spare: { readonly path: string; readonly bytes: number }[] = [];
    for (const path of this.#use().stagedHere ? [reservePath] : [reservePath, bundlePath]) {
      const size = await this.#read(path, (file) => file.sizeBytes());
      if (size !== undefined) spare.push({ path, bytes: size });
    }
    if (spare.reduce((sum, each) => sum + each.bytes, 0) < missing) throw noRoom();
    const enough = spare.find((each) => each.bytes >= missing);
    for (const { path } of enough === undefined ? spare : [enough]) {
      await this.#disk.remove(path);
      if (path === bundlePath) this.#edition++;
    }
  }

  /** Unless somebody else has begun meanwhile: what is there is theirs then. */
  #giveUp(incoming: Incoming): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#incoming !== incoming) return;
      await this.#stop();
      await removeIfThere(this.#disk, incomingPath);
    });
  }

  /** One after the other: two who begin at once would write to one file. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The box goes on where a card does not let it. */
  async #tidy(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#log.warn('folder for updates not tidied', { reason: describeError(error) });
    }
  }

  async #read<T>(path: string, action: (file: DiskFile) => Promise<T>): Promise<T | undefined> {
    const file = await unlessMissing(this.#disk.open(path, 'read'));
    if (file === undefined) return undefined;
    try {
      return await action(file);
    } finally {
      await file.close();
    }
  }
}

async function readUpTo(file: DiskFile, offset: number, bytes: number): Promise<Bytes> {
  const into = new Uint8Array(bytes);
  return into.subarray(0, await file.read(into, offset));
}

async function removeIfThere(disk: Disk, path: string): Promise<void> {
  await unlessMissing(disk.remove(path));
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (hasCode(error, 'DISK_NOT_FOUND')) return undefined;
    throw error;
  }
}

function incomplete(): AetherError<BundleShelfErrorCode> {
  return new AetherError('UPDATE_INCOMPLETE', 'not all of the update has come', {
    help: 'Send it again, unless somebody else is sending one to this box.',
  });
}

function noRoom(): AetherError<BundleShelfErrorCode> {
  return new AetherError('UPDATE_NO_ROOM', 'the card of the box has no room for the update', {
    help: 'The journal and updates share it with the system; a larger card helps.',
  });
}

function tooLarge(bytes: number): AetherError<BundleShelfErrorCode> {
  return new AetherError('UPDATE_TOO_LARGE', `an update of ${bytes} bytes is no update of this box`, {
    help: `It has at most ${bundleBytesMax} bytes.`,
  });
}
