import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from '../scene.ts';
import type { HardwareTest } from '../suite.ts';
import { beginInstallation, knownBox, seenBox } from './seen-update.ts';
import { goodVersion, variant } from './variants.ts';

const updateTimeoutMs = 20 * 60_000;
/** In the middle of an installation, and by what part of it each is later than the one before. */
const middleCuts = 10;
const cutSpacing = 0.09;
/** Installations that may be over when they are to be cut in their middle: each is faster than what was measured. */
const surprisesMax = 3;
/** What is left of it then: how long one takes hangs on what else the machine does. */
const fasterBy = 0.85;
/** One that installs may answer late; one that ends its program does not. */
const answerMs = 15_000;
/** What a box of its own pool says of itself, whatever becomes of its update. */
const usualConditions = ['POOL_OF_ONE', 'UPDATE_WAITING', 'UPDATE_NOT_INSTALLED'];

export const installMayBeCut: HardwareTest = {
  name: `power may go at ${middleCuts} points of an installation, when it ends, and in the start that follows; then it is installed all the same`,
  needs: ['disks', 'updates', 'power', 'card'],
  minutes: 13,
  isLong: true,
  run: async (scene) => {
    const cuts = new InstallCuts(scene, await variant(scene, goodVersion));
    await cuts.stage();
    const { seconds, runs } = await cuts.atItsEnd();
    if (runs === 'new') await cuts.stage();
    const middle = await cuts.inItsMiddle(seconds);
    const started = await cuts.inTheStart();
    if (started === 'old') await cuts.finish();
    const at = middle.map((each) => each.toFixed(0)).join(', ');
    return `cut at its end, after ${seconds.toFixed(0)} s: then the ${runs} version; after ${at} s: the old one each time; in the start that follows: the ${started} one`;
  },
};

/** Which version runs after a cut. */
type Runs = 'old' | 'new';

/** Installations of one bundle that are cut. After each cut the box serves, and says of its update what is so. */
class InstallCuts {
  readonly #scene: Scene;
  readonly #bundle: string;
  #name = '';
  #before = '';

  constructor(scene: Scene, bundle: string) {
    this.#scene = scene;
    this.#bundle = bundle;
  }

  /** A box that has the bundle, and runs the version from before. */
  async stage(): Promise<void> {
    const scene = this.#scene;
    scene.disturbed();
    await scene.claimed();
    this.#before = (await scene.status()).box.version;
    this.#name = await scene.target.console.greet();
    await this.#update(this.#bundle, '--later');
  }

  /** When the boot loader has just been told of the new system. Resolves with how long that took. */
  async atItsEnd(): Promise<{ readonly seconds: number; readonly runs: Runs }> {
    await beginInstallation(this.#scene);
    const startMs = performance.now();
    const endMs = startMs + this.#scene.patienceMs(updateTimeoutMs);
    while (!(await this.#isOver())) {
      assert.ok(performance.now() < endMs, 'it does not end');
      await delay(200);
    }
    const seconds = (performance.now() - startMs) / 1000;
    return { seconds, runs: await this.#cut('at its end') };
  }

  /** From its beginning to some way before its end, by how long one takes. Resolves with after how many seconds each was. */
  async inItsMiddle(seconds: number): Promise<readonly number[]> {
    const cuts: number[] = [];
    const surprises: string[] = [];
    let takes = seconds;
    while (cuts.length < middleCuts) {
      await beginInstallation(this.#scene);
      const startMs = performance.now();
      await delay(takes * cutSpacing * cuts.length * 1000);
      const state = await this.#state();
      const atSeconds = (performance.now() - startMs) / 1000;
      const where = `after ${atSeconds.toFixed(1)} s of ${takes.toFixed(1)}`;
      const runs = await this.#cut(where);
      if (state === 'installing' && runs === 'old') {
        cuts.push(atSeconds);
        continue;
      }
      surprises.push(`${where} it was ${state}, then the ${runs} version ran`);
      assert.ok(surprises.length <= surprisesMax, surprises.join('; '));
      if (runs === 'old') continue;
      takes = Math.min(takes, atSeconds) * fasterBy;
      await this.stage();
    }
    return cuts;
  }

  /** When the boot loader is about to note that it tries the new system. */
  async inTheStart(): Promise<Runs> {
    const { console } = this.#scene.target;
    await beginInstallation(this.#scene);
    console.skip();
    await console.waitFor(/boot: environment \w+/, updateTimeoutMs);
    return this.#cut('in the start that follows');
  }

  /** Without a cut. */
  async finish(): Promise<void> {
    await this.#update();
    assert.equal((await this.#scene.status()).box.version, goodVersion);
  }

  /** Whichever version runs then: the box says which of the two that is, what becomes of the other, and of no damage. */
  async #cut(where: string): Promise<Runs> {
    await this.#scene.powerCycle();
    const { box, update, conditions } = await knownBox(this.#scene);
    const runs = box.version === this.#before ? 'old' : 'new';
    const said = { version: box.version, state: update.state, of: update.version };
    const version = runs === 'old' ? this.#before : goodVersion;
    const state = runs === 'old' ? 'staged' : 'trial';
    assert.deepEqual(said, { version, state, of: goodVersion }, `cut ${where}`);
    const unusual = conditions.filter(({ code }) => !usualConditions.includes(code));
    assert.deepEqual(unusual, [], `cut ${where}`);
    return runs;
  }

  /** The next start would be into the new system. */
  async #isOver(): Promise<boolean> {
    const { capabilities, root } = this.#scene.target;
    if (capabilities['root shell'] === true)
      return (await root.run('fw_printenv -n BOOT_ORDER 2>/dev/null || true')) === 'B A';
    return !['installing', undefined].includes(await this.#state());
  }

  async #state(): Promise<string | undefined> {
    const seen = await seenBox(this.#scene, { timeoutMs: answerMs }).catch(() => undefined);
    return seen?.update.state;
  }

  async #update(...words: readonly string[]): Promise<void> {
    const timeoutMs = this.#scene.patienceMs(updateTimeoutMs);
    await this.#scene.aether.run(['update', this.#name, ...words], { timeoutMs });
  }
}
