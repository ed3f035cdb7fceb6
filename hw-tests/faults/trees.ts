import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { differentContents } from '../../scripts/lan/compare-trees.ts';
import type { Outcome } from '../../scripts/lan/processes.ts';
import type { Scene } from '../scene.ts';
import { makeSmallTree } from '../storage/small-tree.ts';

const transferMs = 180_000;

/** Trees that were put, each of its own bytes. */
export class Trees {
  readonly #scene: Scene;
  readonly #folder: string;
  readonly #sizes: readonly number[];
  readonly #names = new Set<string>();
  #times = 0;

  /** `sizes`: of the files of each, bytes. */
  constructor(scene: Scene, sizes: readonly number[] = [10, 300_000]) {
    this.#scene = scene;
    this.#folder = scene.folder('trees');
    this.#sizes = sizes;
  }

  /** Where the tree of this name is on the person's computer. */
  folderOf(name: string): string {
    return join(this.#folder, name);
  }

  /** Makes one and puts it. Resolves with the seconds that took the box. */
  put(name: string): Promise<number> {
    this.#make(name);
    return this.putAgain(name);
  }

  /** Puts one that is there once more, as it is by now. */
  async putAgain(name: string): Promise<number> {
    const { seconds } = await this.#aether(['put', this.folderOf(name)]);
    this.#names.add(name);
    return seconds;
  }

  /** Makes one and tries to put it, which the box must refuse. Resolves with what the person is told. */
  async putInVain(name: string): Promise<string> {
    this.#make(name);
    const { exitCode, stdout, stderr } = await this.#aether(['put', this.folderOf(name)], true);
    assert.notEqual(exitCode, 0, `${name} was put: ${stdout}`);
    return `${stdout}${stderr}`.trim();
  }

  /** All that were put are had back. */
  async compare(): Promise<void> {
    const back = join(this.#folder, `back ${++this.#times}`);
    mkdirSync(back);
    for (const name of this.#names) {
      await this.#aether(['get', `/${name}`, back]);
      assert.deepEqual(await differentContents(this.folderOf(name), join(back, name)), []);
    }
  }

  #make(name: string): void {
    makeSmallTree(this.folderOf(name), name, this.#sizes);
  }

  #aether(words: readonly string[], mayFail = false): Promise<Outcome> {
    return this.#scene.aether.run(words, { timeoutMs: this.#scene.patienceMs(transferMs), mayFail });
  }
}
