import { join } from 'node:path';
import { type NbdMode, NbdServer } from './nbd-server.ts';
import { type PowerCut, VolatileFile } from './volatile-file.ts';

/** A qcow2 file grows; no disk of a test needs as much. */
const servedBytes = 256 * 1024 ** 3;

interface Served {
  readonly file: VolatileFile;
  readonly server: NbdServer;
}

/** Image files of one machine as disks that forget, when the power goes, what was not flushed. */
export class VolatileDisks {
  readonly #folder: string;
  readonly #served = new Map<string, Promise<Served>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The socket on which a file is served, by the protocol of network block devices. */
  async socketOf(path: string): Promise<string> {
    let served = this.#served.get(path);
    if (served === undefined) {
      served = this.#serve(path, join(this.#folder, `nbd${this.#served.size}.sock`));
      this.#served.set(path, served);
    }
    return (await served).server.path;
  }

  /** How a file is served from now on, until the machine is off. */
  async serve(path: string, mode: NbdMode): Promise<void> {
    const { server } = await this.#served.get(path)!;
    server.mode = mode;
  }

  /** What the machine sent is on disk; it is off. */
  async settle(): Promise<void> {
    for (const { file, server } of await this.#all()) {
      await server.idle();
      file.flush();
    }
  }

  /** The power is gone; the machine is off. Resolves with what each file forgot. */
  async cutPower(): Promise<ReadonlyMap<string, PowerCut>> {
    const cuts = new Map<string, PowerCut>();
    for (const [path, served] of this.#served) {
      const { file, server } = await served;
      await server.idle();
      cuts.set(path, await file.cutPower());
    }
    return cuts;
  }

  async close(): Promise<void> {
    for (const { file, server } of await this.#all()) {
      await server.close();
      await file.close();
    }
  }

  #all(): Promise<readonly Served[]> {
    return Promise.all(this.#served.values());
  }

  async #serve(path: string, socket: string): Promise<Served> {
    const file = await VolatileFile.open(path);
    return { file, server: await NbdServer.listen(socket, file, servedBytes) };
  }
}
