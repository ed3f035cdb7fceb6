import { gateCrashFreeMs, gateLookMs } from '../base/face-limits.ts';
import { silentLog } from '../base/log.ts';
import { releasedMs } from '../base/version.ts';
import { Updater } from '../device/update/updater.ts';
import { foldStatus } from '../status/appliance-status.ts';
import { healthyFacts, volumeFacts } from './appliance-facts.ts';
import { FakeBootSlots } from './fake-boot-slots.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export const place = '/updates/bundle.raucb';
export const healthy = foldStatus(healthyFacts);
export const sick = foldStatus({
  ...healthyFacts,
  volumes: [volumeFacts('disk1', { state: 'failed', error: 'it answers with errors' })],
});

/** A box over several starts, as its updates see it: what is on its card stays, its program begins anew. */
export class UpdatedBox {
  readonly slots = new FakeBootSlots();
  readonly disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  readonly clock = new FakeClock(releasedMs);
  updater!: Updater;
  status = healthy;
  unreadable: () => Promise<readonly string[]> = () => Promise.resolve([]);
  version = '1.0.0';
  /** In safe mode. */
  alone = false;
  restarts = 0;
  /** What asking for a restart comes to. */
  restart: () => Promise<void> = () => Promise.resolve();

  constructor() {
    this.slots.bundles.set(place, {
      compatible: this.slots.compatible,
      version: '2.0.0',
      dataFormat: 1,
    });
  }

  /** The program starts. */
  async open(): Promise<this> {
    await this.updater?.close();
    const source = () => Promise.resolve({ place, close: () => Promise.resolve() });
    this.updater = await Updater.open(
      {
        running: { compatible: this.slots.compatible, version: this.version, dataFormat: 1 },
        alone: this.alone,
        source,
        restartMachine: () => {
          this.restarts++;
          return this.restart();
        },
      },
      { slots: this.slots, disk: this.disk, clock: this.clock, log: silentLog },
    );
    this.updater.start();
    if (!this.alone) {
      this.updater.attach({ status: () => this.status, unreadable: () => this.unreadable() });
    }
    return this;
  }

  /** A box whose system has shown that it works. */
  static async proven(): Promise<UpdatedBox> {
    const box = await new UpdatedBox().open();
    await box.prove();
    return box;
  }

  /** One that is to start into version 2.0.0. */
  static async installed(): Promise<UpdatedBox> {
    const box = await UpdatedBox.proven();
    await box.stage();
    await box.install();
    return box;
  }

  prove(): Promise<void> {
    return this.pass(gateCrashFreeMs + 2 * gateLookMs);
  }

  stage(wanted: { readonly atMs?: number; readonly older?: boolean; readonly unasked?: boolean } = {}) {
    const open = () => Promise.resolve({ place, close: () => Promise.resolve() });
    return this.updater.stage({ ...wanted, open, from: null });
  }

  /** Installs what is staged, until that has ended. */
  async install(): Promise<void> {
    await this.updater.install();
    await settle();
    await this.pass(0);
  }

  /** The machine starts again, as after a power cut. */
  async powerCycle(): Promise<void> {
    await this.updater.close();
    this.disk.crash();
    this.version = this.slots.start();
    await this.open();
  }

  pass(ms: number): Promise<void> {
    return this.clock.run(ms);
  }

  /** Writes over the beginning of a file of the folder for updates. */
  async damage(path: string): Promise<void> {
    const file = await this.disk.open(path, 'write');
    await file.write([new Uint8Array([0x7b, 0x00])], 0);
    await file.sync();
    await file.close();
  }
}
