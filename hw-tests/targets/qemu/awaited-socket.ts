import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** A UNIX socket that QEMU connects to when it starts: nothing that it says is lost, and the next QEMU finds it too. */
export class AwaitedSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #listeners = new Set<(text: string) => void>();
  #socket: Socket | undefined;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    server.on('connection', (socket) => this.#take(socket));
  }

  static async listen(path: string): Promise<AwaitedSocket> {
    rmSync(path, { force: true });
    const server = createServer();
    const socket = new AwaitedSocket(path, server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return socket;
  }

  /** Whatever comes, from whichever QEMU. */
  onText(listener: (text: string) => void): void {
    this.#listeners.add(listener);
  }

  write(text: string): void {
    this.#socket?.write(text);
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #take(socket: Socket): void {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      for (const listener of this.#listeners) listener(text);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
  }
}
