import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Aether } from '../scripts/lan/box-process.ts';
import type { Place } from '../scripts/lan/processes.ts';
import type { AttachedDisk, Target } from './target.ts';

/** How a box stands when a test begins. */
type Situation = 'serving' | 'claimed';

/** Longer than a box takes whose slowness is 1, emulated by a machine with other work. */
const bootTimeoutMs = 180_000;
const settledTimeoutMs = 300_000;
const blankDiskTimeoutMs = 60_000;
const diskBytes = 1024 ** 3;
const webPort = 443;
/** A minute without a crash, and the time to look. */
const provenMs = 75_000;
const provenTimeoutMs = 300_000;

/** What a box says of itself; the part that tests look at. */
export interface SeenStatus {
  readonly box: { readonly name: string; readonly version: string; readonly uptimeMs: number };
  readonly pool: { readonly boxes: number } | null;
  readonly conditions: readonly { readonly message: string }[];
  readonly hardware: { readonly clock: string | null };
  readonly network: {
    readonly interfaces: readonly {
      readonly name: string;
      readonly addresses: readonly { readonly address: string }[];
    }[];
  };
  readonly attached?: readonly unknown[];
}

/** The box under test, the person's computer beside it, and ways into situations that tests begin with. */
export class Scene {
  readonly target: Target;
  readonly #folder: string;
  /** Seconds from power to serving, at the first start of its card; unknown where nobody can cut its power. */
  #firstStartSeconds: number | undefined;
  readonly #failures = new Map<Situation, Error>();
  readonly #attached = new Map<Situation, readonly AttachedDisk[]>();
  /** In which the box still is, since nothing was done to it that changes anything. */
  #standing: Situation | undefined;

  constructor(target: Target, folder: string) {
    this.target = target;
    this.#folder = folder;
  }

  /** `aether` as the person runs it who claims boxes here. */
  get aether(): Aether {
    return this.aetherAt(this.target.network.desktop);
  }

  aetherAt(place: Place): Aether {
    return new Aether(place, this.#home);
  }

  /** Another box beside this one, and the same person. */
  besides(target: Target): Scene {
    return new Scene(target, this.#folder);
  }

  /** A folder of the test's own, empty. */
  folder(name: string): string {
    const folder = join(this.#folder, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** The disks of a claimed box, in the order in which they were plugged in. */
  get disks(): readonly AttachedDisk[] {
    return this.#attached.get('claimed') ?? [];
  }

  get firstStartSeconds(): number | undefined {
    return this.#firstStartSeconds;
  }

  /** What could not be made before is tried once more. */
  tryAgain(): void {
    this.#failures.clear();
  }

  /** Something was done to the box: the next test does not find it as this one did. */
  disturbed(): void {
    this.#standing = undefined;
  }

  /** A box that belongs to nobody and serves, without disks. */
  serving(): Promise<void> {
    return this.#enter('serving', async () => {
      this.#firstStartSeconds = await this.#start('serving', 0);
    });
  }

  /** A box with two disks that were there when it started, in a pool of its own. */
  claimed(): Promise<void> {
    return this.#enter('claimed', async () => {
      await this.#start('claimed', 2);
      await this.adoptDisk();
      await this.adoptDisk();
      await this.claim();
      await this.untilProven();
    });
  }

  /** Resolves when the first system of a card has shown that it works: until then nothing is installed beside it. */
  async untilProven(): Promise<void> {
    const timeoutMs = this.patienceMs(provenTimeoutMs);
    for (const endMs = performance.now() + timeoutMs; ; await delay(1000)) {
      const { uptimeMs } = (await this.status()).box;
      if (uptimeMs >= provenMs) return;
      if (performance.now() > endMs)
        throw new Error(`after ${timeoutMs / 1000} s its program has run for ${uptimeMs / 1000} s`);
    }
  }

  /** Resolves when the box's program is one that began after this moment (`performance.now()`), and serves. */
  async untilBegunSince(momentMs: number): Promise<void> {
    const timeoutMs = this.patienceMs(bootTimeoutMs);
    for (const endMs = performance.now() + timeoutMs; ; await delay(1000)) {
      const askedMs = performance.now();
      // While it starts again nobody answers at the console.
      const status = await this.status().catch(() => undefined);
      if (status !== undefined && status.box.uptimeMs < askedMs - momentMs) break;
      if (performance.now() > endMs)
        throw new Error(`the box's program has not begun anew within ${timeoutMs / 1000} s`);
    }
    await this.waitUntilServing();
  }

  /**
   * From a fresh card where there can be one, and with so many blank disks. Returns the seconds from power to serving,
   * where power can be given.
   */
  async #start(situation: Situation, disks: number): Promise<number | undefined> {
    const { target } = this;
    const { power, card, cable } = target.capabilities;
    if (power === true) await target.power.off();
    if (card === true) await target.card.flash();
    this.forgetPerson();
    await target.disks.detachAll?.();
    const attached: AttachedDisk[] = [];
    while (attached.length < disks) attached.push(await target.disks.attach(diskBytes));
    this.#attached.set(situation, attached);
    const startMs = performance.now();
    if (power === true) await target.power.on();
    // A test that failed may have left it out.
    if (cable === true) await target.network.cable(true);
    if (power === true) await this.waitUntilServing();
    const seconds = power === true ? (performance.now() - startMs) / 1000 : undefined;
    if (card !== true) await this.#beginAnew();
    return seconds;
  }

  /** Goes back to the situation, or makes it. What could not be made once would only take its time again. */
  async #enter(situation: Situation, make: () => Promise<void>): Promise<void> {
    const failure = this.#failures.get(situation);
    if (failure !== undefined) throw failure;
    const { snapshots, capabilities } = this.target;
    await this.target.network.dhcp(true);
    if (this.#standing === situation) return this.waitUntilServing();
    if (snapshots.has(situation)) {
      await snapshots.restore(situation);
      rmSync(this.#home, { recursive: true, force: true });
      cpSync(`${this.#home}-${situation}`, this.#home, { recursive: true });
      await this.waitUntilServing();
      this.#standing = situation;
      return;
    }
    try {
      await make();
      if (capabilities.snapshots === true) await this.#settle();
    } catch (error) {
      this.#failures.set(situation, error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    this.#standing = situation;
    if (capabilities.snapshots !== true) return;
    await snapshots.save(situation);
    cpSync(this.#home, `${this.#home}-${situation}`, { recursive: true });
  }

  /** How long to wait for what a box whose slowness is 1 does within so many milliseconds. */
  patienceMs(milliseconds: number): number {
    return milliseconds * this.target.slowness;
  }

  /** Resolves when it answers on the network. */
  async waitUntilServing(): Promise<void> {
    const timeoutMs = this.patienceMs(bootTimeoutMs);
    const endMs = performance.now() + timeoutMs;
    while (!(await this.isServing())) {
      if (performance.now() > endMs) throw new Error(`the box does not serve within ${timeoutMs / 1000} s`);
      await delay(250);
    }
  }

  /** Whether its page's port takes connections. */
  async isServing(): Promise<boolean> {
    const address = await this.target.network.address().catch(() => undefined);
    if (address === undefined) return false;
    const script = `exec 3<>/dev/tcp/${address}/${webPort}`;
    const { exitCode } = await this.target.network.desktop
      .run('bash', ['-c', script], {
        mayFail: true,
        timeoutMs: 3000,
      })
      .catch(() => ({ exitCode: 1 }));
    return exitCode === 0;
  }

  status(): Promise<SeenStatus> {
    return this.target.console.json<SeenStatus>('status');
  }

  /** Has a blank disk formatted, by the console; returns its device. */
  async adoptDisk(): Promise<string> {
    const device = await this.#blankDisk();
    const said = await this.target.console.dangerousCommand(`disks adopt ${device}`, { timeoutMs: 120_000 });
    if (said.some((line) => line.includes('is in use now'))) return device;
    throw new Error(`disks adopt ${device}: ${said.join(' / ')}`);
  }

  /** Claims the box with the code on its label, or that which its console shows: that of the console where it has no label. */
  async claim(by: 'label' | 'console' = 'label'): Promise<string> {
    const name = await this.target.console.greet();
    const code = (by === 'label' ? this.target.label?.claimCode : undefined) ?? (await this.#shownCode());
    await this.aether.run(['claim', name, '--code', code], { timeoutMs: this.patienceMs(180_000) });
    return name;
  }

  async #shownCode(): Promise<string> {
    const said = await this.target.console.command('pair');
    const code = /Claim code: ([A-Z0-9-]+)/.exec(said.join('\n'))?.[1];
    if (code === undefined) throw new Error(`pair says no claim code: ${said.join(' / ')}`);
    return code;
  }

  /** Cuts the power and gives it back; resolves when the box serves again, with the seconds it took. */
  async powerCycle(): Promise<number> {
    await this.target.power.off();
    const startMs = performance.now();
    await this.target.power.on();
    await this.waitUntilServing();
    return (performance.now() - startMs) / 1000;
  }

  async #blankDisk(): Promise<string> {
    for (const endMs = performance.now() + this.patienceMs(blankDiskTimeoutMs); ; await delay(1000)) {
      const said = await this.target.console.command('disks');
      const blank = said
        .map((line) => /^(\w+) .*\bblank\b/.exec(line)?.[1])
        .find((name) => name !== undefined);
      if (blank !== undefined) return blank;
      if (performance.now() > endMs) throw new Error(`the console shows no blank disk: ${said.join(' / ')}`);
    }
  }

  /** A box whose card cannot be written anew forgets its pool; one that could not be given power is started again. */
  async #beginAnew(): Promise<void> {
    const { console, capabilities } = this.target;
    const isClaimed = (await this.status()).pool !== null;
    if (!isClaimed && capabilities.power === true) return;
    const typedMs = performance.now();
    await console.lastCommand(isClaimed ? 'reset factory' : 'restart');
    await this.untilBegunSince(typedMs);
  }

  /**
   * Waits for what a system does after its box serves, at the first start of a card above all: each return to a snapshot
   * taken before would do it once more. One that does not settle is taken as it is: this is no test of it.
   */
  async #settle(): Promise<void> {
    const { capabilities, root } = this.target;
    if (capabilities['root shell'] !== true) return this.untilProven();
    const endMs = performance.now() + this.patienceMs(settledTimeoutMs);
    // A start is one set of jobs: none is left when what follows the box has ended too.
    const question = "udevadm settle --timeout=10; systemctl list-jobs | grep -E '^ *[0-9]+ ' || true";
    for (;;) {
      const said = await root.run(question).catch((error: unknown) => String(error));
      if (said === '') return;
      if (performance.now() > endMs) return console.log(`the box has not settled: ${said}`);
      await delay(1000);
    }
  }

  get #home(): string {
    return join(this.#folder, 'home');
  }

  /** The person of the next claim is another one, on a computer that knows nothing. */
  forgetPerson(): void {
    rmSync(this.#home, { recursive: true, force: true });
    mkdirSync(this.#home, { recursive: true });
  }
}
