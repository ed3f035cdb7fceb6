import { join } from 'node:path';
import { Aether, BoxProcess } from './box-process.ts';
import { thisMachine } from './processes.ts';

/** Boxes on this machine's loopback that are one pool, and the desktop that claimed them. Needs no root. */
export class LocalPool {
  readonly aether: Aether;
  readonly #boxes = new Map<string, BoxProcess>();
  readonly #killAll = () => {
    for (const box of this.#boxes.values()) box.program.kill('SIGKILL');
  };

  private constructor(folder: string) {
    this.aether = new Aether(thisMachine, join(folder, 'desktop'));
    // Before the folder is removed, which registered earlier.
    process.prependOnceListener('exit', this.#killAll);
  }

  /** Starts and claims a box for each name; all they keep is in `folder`. */
  static async start(folder: string, names: readonly string[]): Promise<LocalPool> {
    const pool = new LocalPool(folder);
    for (const name of names) {
      const options = { name, folder: join(folder, name), listen: '127.0.0.1:0' };
      const box = await BoxProcess.start(options, thisMachine);
      pool.#boxes.set(name, box);
      const { claimCode, port } = box.ready;
      if (claimCode === null) throw new Error(`${name} has no claim code`);
      await pool.aether.run(['claim', `127.0.0.1:${port}`, '--code', claimCode]);
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
    const again = { ...options, listen: `127.0.0.1:${ready.port}` };
    this.#boxes.set(name, await BoxProcess.start(again, thisMachine));
  }

  async stop(): Promise<void> {
    for (const box of this.#boxes.values()) await box.stop();
    process.off('exit', this.#killAll);
  }
}
