import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import koffi from 'koffi';
import { AetherError } from '../base/errors.ts';
import { diskError } from './disk-errors.ts';

export type InstanceLockErrorCode =
  | 'ALREADY_RUNNING'
  /** Another box stores on that disk, or this one does already. */
  | 'DISK_IN_USE';

/** flock(2): a lock for one, and an answer at once. The same numbers on Linux and macOS. */
const lockExclusively = 2 | 4;
const c = koffi.load(process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6');
const flock: (descriptor: number, operation: number) => number = c.func('int flock(int, int)');

/**
 * Makes sure that one process at a time works in a folder: an advisory lock of the kernel on the folder itself. It
 * ends with the process however that ends, leaves nothing behind, and holds by whatever path the folder is named.
 */
export class InstanceLock {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** For the folder a box lives in; its `state/` is there already. Errors: `ALREADY_RUNNING`, `DiskErrorCode`. */
  static take(folder: string): InstanceLock {
    return InstanceLock.#hold(join(folder, 'state'), () => alreadyRunning(folder));
  }

  /** For a folder to store in: two boxes would write over each other there. Errors: `DISK_IN_USE`, `DiskErrorCode`. */
  static takeDisk(folder: string): InstanceLock {
    return InstanceLock.#hold(folder, () => diskInUse(folder));
  }

  static #hold(folder: string, inUse: () => AetherError): InstanceLock {
    let descriptor: number;
    try {
      descriptor = openSync(folder, 'r');
    } catch (cause) {
      throw diskError(cause, folder);
    }
    if (flock(descriptor, lockExclusively) === 0) return new InstanceLock(descriptor);
    const errno = koffi.errno();
    closeSync(descriptor);
    if (errno === koffi.os.errno.EWOULDBLOCK || errno === koffi.os.errno.EAGAIN) throw inUse();
    throw new AetherError('DISK_IO', `${resolve(folder)} cannot be locked`, {
      fields: { errno },
      help: 'The file system has no flock: store on a local disk.',
    });
  }

  release(): void {
    closeSync(this.#descriptor);
  }
}

function alreadyRunning(folder: string): AetherError<InstanceLockErrorCode> {
  return new AetherError('ALREADY_RUNNING', `another box runs in ${resolve(folder)}`, {
    help: 'Stop it first, or choose another folder with --dir.',
  });
}

function diskInUse(folder: string): AetherError<InstanceLockErrorCode> {
  return new AetherError('DISK_IN_USE', `a box stores in ${resolve(folder)} already`, {
    help: 'Give each disk to one box, and name it once.',
  });
}
