import { type Bytes, equalBytes } from '../base/bytes.ts';
import { CborFields, encodeCbor } from '../base/cbor.ts';
import { hasCode } from '../base/errors.ts';
import { stateFileBytesMax } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Disk } from '../ports/disk.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';

/** What was last in the place of a volume. */
export interface KnownVolume {
  readonly id: Bytes;
  /** It was emptied, and its disk may be pulled: it is not opened any more. */
  readonly retired: boolean;
}

const path = 'volumes.cbor';
const volumeIdBytes = 16;

/**
 * Which volume was in which place, by the place's name, kept in the state folder (docs/formats.md §7). Without it an
 * empty mount point of a disk that is not attached would be taken for a new, empty disk.
 */
export class KnownVolumes {
  readonly #disk: Disk;
  #volumes: ReadonlyMap<string, KnownVolume>;
  /** A write failed, and may have got through all the same. */
  #isDoubtful = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, volumes: ReadonlyMap<string, KnownVolume>) {
    this.#disk = disk;
    this.#volumes = volumes;
  }

  /** A file that is damaged is as good as none: volumes are then taken as they are found. Errors: those of the disk. */
  static async open(disk: Disk, { log }: { readonly log: Log }): Promise<KnownVolumes> {
    const bytes = await readFile(disk, path, stateFileBytesMax);
    if (bytes === undefined) return new KnownVolumes(disk, new Map());
    try {
      const fields = CborFields.decode(bytes);
      const places = fields.map('places');
      const volumes = places.names().map((name): [string, KnownVolume] => {
        const place = places.map(name);
        return [name, { id: place.bytes('id', volumeIdBytes), retired: place.flag('retired') }];
      });
      return new KnownVolumes(disk, new Map(volumes));
    } catch (error) {
      if (!hasCode(error, 'CBOR_INVALID')) throw error;
      log.warn('list of volumes is damaged and made anew');
      return new KnownVolumes(disk, new Map());
    }
  }

  /** As it was last made durable. */
  get(name: string): KnownVolume | undefined {
    return this.#volumes.get(name);
  }

  /** Durable on return. Errors: those of the disk. */
  note(name: string, volume: KnownVolume): Promise<void> {
    return this.#change((volumes) => {
      const before = volumes.get(name);
      volumes.set(name, volume);
      return before?.retired !== volume.retired || !equalBytes(before.id, volume.id);
    });
  }

  /** Whatever is found in its place next is taken. Durable on return. Errors: those of the disk. */
  forget(name: string): Promise<void> {
    return this.#change((volumes) => volumes.delete(name));
  }

  /** `change` tells whether it changes anything; changes that come together are made one after the other. */
  #change(change: (volumes: Map<string, KnownVolume>) => boolean): Promise<void> {
    const turn = this.#writing.then(async () => {
      const volumes = new Map(this.#volumes);
      if (!change(volumes) && !this.#isDoubtful) return;
      const places = Object.fromEntries(
        [...volumes].map(([name, { id, retired }]) => [name, { id, retired }]),
      );
      this.#isDoubtful = true;
      await replaceFile(this.#disk, path, encodeCbor({ v: 1, places }));
      this.#isDoubtful = false;
      this.#volumes = volumes;
    });
    this.#writing = turn.catch(() => {});
    return turn;
  }
}
