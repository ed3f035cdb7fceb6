import { join } from 'node:path';
import { Aether, type BoxOptions, BoxProcess } from './box-process.ts';
import { Lan, whyNoLan } from './network.ts';
import { type Place, thisMachine } from './processes.ts';

const desktopName = 'desktop';

/**
 * Boxes that are one pool, and the desktop that claimed them: each on a host of its own where this machine can have
 * a LAN of namespaces, else all of them on the machine itself, which needs no root.
 */
export class LocalPool {
  readonly aether: Aether;
  readonly #lan: Lan | undefined;
  readonly #boxes = new Map<string, BoxProcess>();
  readonly #killAll = () => {
    for (const box of this.#boxes.values()) box.program.kill('SIGKILL');
  };

  private constructor(folder: string, lan: Lan | undefined) {
    this.#lan = lan;
    this.aether = new Aether(lan?.host(desktopName) ?? thisMachine, join(folder, 'desktop'));
    // Before the folder is removed, which registered earlier.
    process.prependOnceListener('exit', this.#killAll);
  }

  /** Starts and claims a box for each name; all they keep is in `folder`. */
  static async start(
    folder: string,
    names: readonly string[],
    options: Pick<BoxOptions, 'program'> = {},
  ): Promise<LocalPool> {
    const lan = whyNoLan() === undefined ? Lan.create([...names, desktopName]) : undefined;
    const pool = new LocalPool(folder, lan);
    for (const name of names) {
      const box = await BoxProcess.start(
        { ...options, name, folder: join(folder, name), listen: ':0' },
        pool.#place(name),
      );
      pool.#boxes.set(name, box);
      const { claimCode, port } = box.ready;
      if (claimCode === null) throw new Error(`${name} has no claim code`);
      const address = lan?.host(name).address ?? '127.0.0.1';
      await pool.aether.run(['claim', `${address}:${port}`, '--code', claimCode]);
    }
    return pool;
  }

  box(name: string): BoxProcess {
    const box = this.#boxes.get(name);
    if (box === undefined) throw new Error(`no box ${name}`);
    return box;
  }

  /** Starts a box that was killed, where it was. */
  async restart(name: string): Promise<void> {
    const { options, ready } = this.box(name);
    this.#boxes.set(
      name,
      await BoxProcess.start({ ...options, listen: `:${ready.port}` }, this.#place(name)),
    );
  }

  async stop(): Promise<void> {
    for (const box of this.#boxes.values()) await box.stop();
    this.#lan?.close();
    process.off('exit', this.#killAll);
  }

  #place(name: string): Place {
    return this.#lan?.host(name) ?? thisMachine;
  }
}
