import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AetherError } from '../base/errors.ts';
import { diskError } from './disk-errors.ts';

export type InstanceLockErrorCode = 'ALREADY_RUNNING';

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
  static async take(folder: string): Promise<InstanceLock> {
    const path = socketPath(folder);
    for (let attempt = 0; ; attempt++) {
      const server = createServer((socket) => socket.destroy());
      const failure = await listen(server, path);
      if (failure === undefined) {
        server.unref();
        return new InstanceLock(server);
      }
      if (failure.code !== 'EADDRINUSE') throw diskError(failure, path);
      if (attempt > 0 || (await answers(path))) {
        throw new AetherError<InstanceLockErrorCode>(
          'ALREADY_RUNNING',
          `another box runs in ${resolve(folder)}`,
          {
            help: 'Stop it first, or choose another folder with --dir.',
          },
        );
      }
      unlinkSync(path);
    }
  }

  release(): Promise<void> {
    return new Promise((done) => this.#server.close(() => done()));
  }
}

function socketPath(folder: string): string {
  const path = join(resolve(folder), 'box.sock');
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path;
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
