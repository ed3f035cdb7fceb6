import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const diskBytes = 128 * 1024 * 1024;

/** A file that the kernel shows as a disk. */
export class LoopDisk {
  /** `loop3`. */
  readonly name: string;
  readonly #file: string;
  #mountPoint: string | undefined;

  private constructor(file: string, device: string) {
    this.#file = file;
    this.name = basename(device);
  }

  /** Attaches a new, empty file; undefined where that cannot be done. */
  static attach(file: string): LoopDisk | undefined {
    try {
      writeFileSync(file, '');
      truncateSync(file, diskBytes);
      return new LoopDisk(file, run('losetup', '--find', '--show', file).trim());
    } catch {
      return undefined;
    }
  }

  /** Makes an ext4 file system on it and mounts that in `folder`. */
  mount(folder: string): void {
    run('mkfs.ext4', '-q', this.#device);
    mkdirSync(folder, { recursive: true });
    run('mount', this.#device, folder);
    this.#mountPoint = folder;
  }

  /** Takes it off its folder, whoever uses it; what is on it stays. */
  unmount(): void {
    run('umount', '--lazy', this.#mountPoint!);
  }

  /** Mounts it again where it was. */
  remount(): void {
    run('mount', this.#device, this.#mountPoint!);
  }

  /** As if its cable were pulled: there is nothing behind the name any more. */
  pull(): void {
    truncateSync(this.#file, 0);
    run('losetup', '--set-capacity', this.#device);
  }

  /** From /sys/block/NAME/stat, the third field. */
  sectorsRead(): number {
    return Number(readFileSync(`/sys/block/${this.name}/stat`, 'utf8').trim().split(/\s+/)[2]);
  }

  detach(): void {
    if (this.#mountPoint !== undefined) quietly('umount', '--lazy', this.#mountPoint);
    quietly('umount', '--lazy', this.#device);
    quietly('losetup', '--detach', this.#device);
    rmSync(this.#file, { force: true });
  }

  get #device(): string {
    return `/dev/${this.name}`;
  }
}

function run(command: string, ...words: readonly string[]): string {
  return execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function quietly(command: string, ...words: readonly string[]): void {
  try {
    run(command, ...words);
  } catch {
    // It may be off already.
  }
}
