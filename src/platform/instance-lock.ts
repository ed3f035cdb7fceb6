import { createHash } from 'node:crypto';
import { realpathSync, unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AetherError } from '../base/errors.ts';
import { diskError } from './disk-errors.ts';

export type InstanceLockErrorCode =
  | 'ALREADY_RUNNING'
  /** Another box stores on that disk, or this one does already. */
  | 'DISK_IN_USE';

/** Longest path a Unix socket may have on every system we run on (macOS: 104 with its end). */
const socketPathBytesMax = 100;

/**
 * Makes sure that one process at a time works in `folder`: holds a Unix socket there that only a living process
 * answers on, so that a crash leaves no lock behind and a process id that was used again does no harm.
 */
export class InstanceLock {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Errors: `ALREADY_RUNNING`, `DiskErrorCode`. */
  static take(folder: string): Promise<InstanceLock> {
    return InstanceLock.#hold(socketPath(folder), () => alreadyRunning(folder));
  }

  /**
   * As {@link take}, for a folder to store in: two boxes would write over each other there. The socket is elsewhere,
   * since not every file system of a disk can hold one. Errors: `DISK_IN_USE`, `DiskErrorCode`.
   */
  static async takeDisk(folder: string): Promise<InstanceLock> {
    try {
      return await InstanceLock.#hold(temporarySocketPath(realpathSync(folder)), () => diskInUse(folder));
    } catch (cause) {
      throw diskError(cause, folder);
    }
  }

  static async #hold(path: string, inUse: () => AetherError): Promise<InstanceLock> {
    for (let attempt = 0; ; attempt++) {
      const server = createServer((socket) => socket.destroy());
      const failure = await listen(server, path);
      if (failure === undefined) {
        server.unref();
        return new InstanceLock(server);
      }
      if (failure.code !== 'EADDRINUSE') throw diskError(failure, path);
      if (attempt > 0 || (await answers(path))) throw inUse();
      unlinkSync(path);
    }
  }

  release(): Promise<void> {
    return new Promise((done) => this.#server.close(() => done()));
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

function socketPath(folder: string): string {
  const path = join(resolve(folder), 'box.sock');
  return Buffer.byteLength(path) <= socketPathBytesMax ? path : temporarySocketPath(path);
}

function temporarySocketPath(path: string): string {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return join(tmpdir(), `aetherstore-${name}.sock`);
}

function listen(server: Server, path: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((done) => {
    server.once('error', done);
    server.listen(path, () => done(undefined));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path, () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
