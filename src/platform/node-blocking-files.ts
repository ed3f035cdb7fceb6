import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Bytes } from '../base/bytes.ts';
import type { BlockingFile, BlockingFiles, BlockingStat } from '../ports/local-files.ts';
import { localError } from './local-errors.ts';
import { statOf } from './node-local-files.ts';

/** Waits for nobody at the other end of a pipe, and follows no link. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Files read by the thread that asks, which waits meanwhile: for worker threads only. */
export const nodeBlockingFiles: BlockingFiles = {
  open: (path) => new NodeBlockingFile(path),
};

class NodeBlockingFile implements BlockingFile {
  readonly #path: string;
  readonly #descriptor: number;
  #position = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#run(() => openSync(path, flags));
  }

  stat(): BlockingStat {
    return this.#run(() => {
      const stats = fstatSync(this.#descriptor);
      return { ...statOf(stats), changeToken: `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}` };
    });
  }

  read(into: Bytes): number {
    return this.#run(() => {
      const count = readSync(this.#descriptor, into, 0, into.length, this.#position);
      this.#position += count;
      return count;
    });
  }

  rewind(): void {
    this.#position = 0;
  }

  close(): void {
    this.#run(() => closeSync(this.#descriptor));
  }

  #run<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      throw localError(cause, this.#path);
    }
  }
}
