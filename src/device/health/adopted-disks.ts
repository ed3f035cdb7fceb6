import { CborFields, encodeCbor } from '../../base/cbor.ts';
import { hasCode } from '../../base/errors.ts';
import { stateFileBytesMax, volumesMax } from '../../base/limits.ts';
import type { Log } from '../../base/log.ts';
import type { Disk } from '../../ports/disk.ts';
import { readFile, replaceFile } from '../../ports/replace-file.ts';

/** CBOR `{v: 1, labels}` in the state folder: file systems that the box made, and mounts where it finds them. */
const path = 'adopted.cbor';

/** The labels of the disks that a person had this box take into use. */
export class AdoptedDisks {
  readonly #disk: Disk;
  #labels: readonly string[];
  #turn: Promise<void> = Promise.resolve();

  private constructor(disk: Disk, labels: readonly string[]) {
    this.#disk = disk;
    this.#labels = labels;
  }

  /** A damaged list is an empty one: a person has them taken back. Errors: those of the disk. */
  static async open(disk: Disk, { log }: { readonly log: Log }): Promise<AdoptedDisks> {
    const bytes = await readFile(disk, path, stateFileBytesMax);
    if (bytes === undefined) return new AdoptedDisks(disk, []);
    try {
      const labels = CborFields.decode(bytes)
        .list('labels')
        .filter((label) => typeof label === 'string')
        .filter(isLabel);
      return new AdoptedDisks(disk, unique(labels).slice(0, volumesMax));
    } catch (error) {
      if (!hasCode(error, 'CBOR_INVALID')) throw error;
      log.warn('list of adopted disks is damaged');
      return new AdoptedDisks(disk, []);
    }
  }

  get labels(): readonly string[] {
    return this.#labels;
  }

  /** Durable on return. Errors: those of the disk. */
  add(label: string): Promise<void> {
    return this.#write((labels) => unique([...labels, label]));
  }

  /** As `add`. */
  remove(label: string): Promise<void> {
    return this.#write((labels) => labels.filter((each) => each !== label));
  }

  /** One change after the other, each of what the one before left. */
  #write(change: (labels: readonly string[]) => readonly string[]): Promise<void> {
    const turn = this.#turn.then(async () => {
      const labels = change(this.#labels);
      await replaceFile(this.#disk, path, encodeCbor({ v: 1, labels }));
      this.#labels = labels;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** Two places of one name would keep each other from being served. */
function unique(labels: readonly string[]): readonly string[] {
  return [...new Set(labels)];
}

/** What this box calls a file system that it makes: a name that no path and no option of a tool can be made of. */
function isLabel(label: string): boolean {
  return /^aether-[0-9a-f]{6}$/.test(label);
}
