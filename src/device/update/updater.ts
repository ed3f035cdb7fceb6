import { AetherError, describeError } from '../../base/errors.ts';
import { gateLookMs, updatePeriodMs } from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import type { BootSlots, BundleFacts } from '../../ports/boot-slots.ts';
import { type Clock, every, type Timer } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { UpdateFacts } from '../../status/facts.ts';
import { type GateInput, judge } from './health-gate.ts';
import {
  isBusy,
  stepUpdate,
  type UpdateAction,
  type UpdateEvent,
  type UpdateState,
  type UpdateStep,
  updateAtStart,
  updateFacts,
} from './update-machine.ts';
import { refusal, type UpdatePolicy } from './update-policy.ts';
import { loadUpdateRecord, saveUpdateRecord } from './update-record.ts';

export interface UpdaterOptions {
  readonly running: UpdatePolicy;
  /** Where a bundle is: on this box when `from` is null, else on that box of the pool. Closed when it is done with. */
  readonly source: (from: string | null) => Promise<BundleSource>;
  /** What the health gate looks at. */
  readonly health: () => Omit<GateInput, 'uptimeMs' | 'hadPeers'>;
  readonly hasPeers: () => boolean;
  readonly restartMachine: () => Promise<void>;
}

/** A bundle that may become the one that is staged. */
export interface Candidate {
  readonly open: () => Promise<BundleSource>;
  /** The box of the pool that has it, by member id; null: it is here. */
  readonly from: string | null;
  /** Called when it was found good. */
  readonly keep?: () => Promise<void>;
  /** When it is to be installed, in milliseconds since 1970; null: when a person says so. */
  readonly atMs?: number | null;
  /** A person wants to go back to an older version. */
  readonly older?: boolean;
}

/** A bundle that can be read by the installer, by path or URL. */
export interface BundleSource {
  readonly place: string;
  close(): Promise<void>;
}

export interface UpdaterPorts {
  readonly slots: BootSlots;
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/** Updates of a box: what is staged, its installation, and the trial of a new version (docs/updates.md). */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #ports: UpdaterPorts;
  readonly #startedMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #timers: Timer[] = [];
  #state: UpdateState = { record: undefined, trial: false, percent: 0 };
  #proven = false;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(options: UpdaterOptions, ports: UpdaterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
  }

  /** Finds out how the last update went. Errors: those of the state disk, `UPDATER_UNAVAILABLE`. */
  static async open(options: UpdaterOptions, ports: UpdaterPorts): Promise<Updater> {
    const updater = new Updater(options, ports);
    const slots = await ports.slots.state();
    const record = await loadUpdateRecord(ports.stateDisk, ports.log);
    await updater.#take(updateAtStart(record, slots));
    const { trial } = updater.#state;
    const facts = updater.facts();
    ports.log.info('updates', { slot: slots.booted, trial, state: facts.state });
    if (facts.state === 'rolled-back') {
      ports.log.warn('update rolled back', { version: facts.version ?? '', reason: facts.reason ?? '' });
    }
    return updater;
  }

  /** Begins to look at the health of a new version, and at the hour that was set. */
  start(): void {
    const { clock } = this.#ports;
    this.#timers.push(every(clock, gateLookMs, () => this.#lookAtHealth()));
    this.#timers.push(every(clock, updatePeriodMs, () => this.#lookAtHour()));
  }

  facts(): UpdateFacts {
    return updateFacts(this.#state);
  }

  /** A new version runs that has not shown yet that it works. */
  get inTrial(): boolean {
    return this.#state.trial;
  }

  /** Calls `listener` when the facts have changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether a bundle that comes now could be staged. Errors: `UPDATE_BUSY`. */
  requireIdle(): void {
    if (isBusy(this.#state)) throw busy(this.#state);
  }

  /**
   * Checks a bundle and remembers it for installation. Errors: those of `BootSlots.inspect`, `UPDATE_BUSY`, and those of
   * {@link refusal}.
   */
  async stage({ open, from, keep, atMs = null, older = false }: Candidate): Promise<BundleFacts> {
    this.requireIdle();
    const source = await open();
    try {
      const bundle = await this.#ports.slots.inspect(source.place);
      const refused = refusal(bundle, this.#options.running, older);
      if (refused !== undefined) throw refused;
      this.requireIdle();
      await keep?.();
      await this.#step({ type: 'found', version: bundle.version, from, atMs });
      this.#ports.log.info('update staged', { version: bundle.version });
      return bundle;
    } finally {
      await source.close();
    }
  }

  /** Begins to install what is staged; how it goes is told by the facts. Errors: `UPDATE_NOT_STAGED`, `UPDATE_BUSY`. */
  async install(): Promise<void> {
    this.requireIdle();
    if (this.#state.record?.phase !== 'staged') {
      throw new AetherError('UPDATE_NOT_STAGED', 'no update is ready to be installed');
    }
    const { from } = this.#state.record;
    const slots = await this.#ports.slots.state();
    await this.#step({ type: 'begin', slots, hasPeers: this.#options.hasPeers() });
    void this.#install(from);
  }

  /** The bundle that was staged is gone. */
  async lost(): Promise<void> {
    await this.#step({ type: 'lost' });
  }

  /** Resolves when what is to be kept is on disk. An installation goes on by itself: the installer is another program. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#keeping.catch(() => {});
  }

  async #install(from: string | null): Promise<void> {
    const { log, slots } = this.#ports;
    try {
      const source = await this.#options.source(from);
      try {
        await slots.install(source.place, (percent) => void this.#step({ type: 'progress', percent }));
      } finally {
        await source.close();
      }
      log.info('update installed', { version: this.#state.record?.version ?? '' });
      await this.#step({ type: 'installed' });
    } catch (error) {
      log.error('update not installed', { reason: describeError(error) });
      // A card that cannot be written is told of by others; what is remembered then says that it was interrupted.
      await this.#step({ type: 'failed', reason: describeError(error) }).catch(() => {});
    }
  }

  async #lookAtHealth(): Promise<void> {
    if (this.#proven) return;
    const { trial, record } = this.#state;
    const uptimeMs = this.#ports.clock.monotonicMs() - this.#startedMs;
    const verdict = trial
      ? judge({ ...this.#options.health(), uptimeMs, hadPeers: record?.hadPeers === true })
      : ({ kind: 'good' } as const);
    if (verdict.kind === 'waiting') return;
    this.#proven = true;
    try {
      if (verdict.kind === 'good') await this.#step({ type: 'good' });
      else await this.#step({ type: 'given up', reason: verdict.lacks });
    } catch (error) {
      this.#proven = false;
      this.#ports.log.warn('system not marked', { reason: describeError(error) });
    }
  }

  async #lookAtHour(): Promise<void> {
    const { record } = this.#state;
    if (record?.phase !== 'staged' || record.atMs === null) return;
    if (this.#ports.clock.wallMs() < record.atMs) return;
    await this.install().catch((error: unknown) => {
      this.#ports.log.warn('update not begun', { reason: describeError(error) });
    });
  }

  #step(event: UpdateEvent): Promise<void> {
    return this.#take(stepUpdate(this.#state, event));
  }

  async #take({ state, actions }: UpdateStep): Promise<void> {
    this.#state = state;
    for (const listener of this.#listeners) listener();
    for (const action of actions) await this.#act(action);
  }

  #act(action: UpdateAction): Promise<void> {
    switch (action) {
      case 'keep': {
        const keep = () => saveUpdateRecord(this.#ports.stateDisk, this.#state.record);
        this.#keeping = this.#keeping.then(keep, keep);
        return this.#keeping;
      }
      case 'mark good':
        return this.#ports.slots.markGood();
      case 'restart machine':
        return this.#options.restartMachine();
    }
  }
}

function busy({ trial }: UpdateState): AetherError<'UPDATE_BUSY'> {
  return new AetherError('UPDATE_BUSY', 'an update is going on', {
    help: trial
      ? 'The new version runs and is being watched; there would be nothing to come back to. Try again in some minutes.'
      : 'Wait until it has ended.',
  });
}
