import { AetherError, describeError, hasCode, messageOf } from '../../base/errors.ts';
import {
  gateLookMs,
  restartAgainMs,
  updateHourPatienceMs,
  updatePeriodMs,
  updaterAnswersTriesMax,
  updaterRetryMs,
} from '../../base/face-limits.ts';
import type { Log } from '../../base/log.ts';
import { releasedMs } from '../../base/version.ts';
import type { BootSlots, BundleFacts, SlotsState } from '../../ports/boot-slots.ts';
import { type Clock, every, sleep, type Timer } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { UpdateFacts } from '../../status/facts.ts';
import { HealthWatch, type WatchedBox } from './health-watch.ts';
import { busy, changed, clockUnset, unproven } from './update-errors.ts';
import { UpdateKeeper } from './update-keeper.ts';
import {
  isActivated,
  isBusy,
  isRestartDue,
  mayBegin,
  otherStarts,
  type StagedBundle,
  type UpdateState,
  updateFacts,
} from './update-machine.ts';
import { compareVersions, refusal, type UpdatePolicy } from './update-policy.ts';
import { hourMsMax, loadUpdateMemory, type UpdateRecord } from './update-record.ts';
import { updateAtStart } from './update-start.ts';

export interface UpdaterOptions {
  readonly running: UpdatePolicy;
  /** Nothing runs but what maintains the box: no system is found good or given up, and one that is not proven may be left. */
  readonly alone: boolean;
  /** Where a bundle is: on this box when `from` is null, else on that box of the pool. Closed when it is done with. */
  readonly source: (from: string | null) => Promise<BundleSource>;
  readonly restartMachine: () => Promise<void>;
}

/** A bundle that may become the one that is staged. */
export interface Candidate {
  readonly open: () => Promise<BundleSource>;
  /** The box of the pool that has it, by member id; null: it is here. */
  readonly from: string | null;
  /** Called when it was found good, and is of this version. */
  readonly keep?: (version: string) => Promise<void>;
  /** When it is to be installed, in milliseconds since 1970; null: when a person says so. */
  readonly atMs?: number | null;
  /** A person wants to go back to an older version. */
  readonly older?: boolean;
  /** It came by itself: a version that runs, waits, or did not work is not offered to people again. */
  readonly unasked?: boolean;
}

/** A bundle that can be read by the installer, by path or URL. */
export interface BundleSource {
  readonly place: string;
  close(): Promise<void>;
}

export interface UpdaterPorts {
  readonly slots: BootSlots;
  /** The folder for updates. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/** Updates of a box: what is staged, its installation, and the trial of a new version (docs/updates.md). */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #ports: UpdaterPorts;
  readonly #startedMs: number;
  readonly #keeper: UpdateKeeper;
  readonly #timers: Timer[] = [];
  #health: HealthWatch | undefined;
  /** A bundle is being looked into, or an installation begins. */
  #working = false;
  #restartAskedMs: number;

  private constructor(options: UpdaterOptions, ports: UpdaterPorts, state: UpdateState) {
    this.#options = options;
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonicMs();
    this.#restartAskedMs = this.#startedMs;
    const watchInstaller = () => void this.#installing((onProgress) => ports.slots.watch(onProgress));
    this.#keeper = new UpdateKeeper(state, { watchInstaller, restartMachine: () => this.#restart() }, ports);
  }

  /** Finds out how the last update went. Errors: `UPDATER_UNAVAILABLE`. */
  static async open(options: UpdaterOptions, ports: UpdaterPorts): Promise<Updater> {
    const { log } = ports;
    const slots = await ports.slots.state();
    const memory = await loadUpdateMemory(ports.disk, log);
    const { version } = options.running;
    const step = updateAtStart(memory, slots, { version, alone: options.alone });
    const updater = new Updater(options, ports, step.state);
    await updater.#keeper.begin(step);
    const { standing, proven } = step.state;
    const facts = updater.facts();
    log.info('updates', { slot: slots.booted, standing, state: facts.state });
    if (standing === 'fallback') log.warn('the system that was proven did not start', { ...proven });
    if (facts.state === 'rolled-back') {
      log.warn('update rolled back', { version: facts.version ?? '', reason: facts.reason ?? '' });
    }
    return updater;
  }

  /** Begins to look at the hour that was set, and whether a restart that is due comes. */
  start(): void {
    this.#timers.push(every(this.#ports.clock, updatePeriodMs, () => this.#lookAtHour()));
  }

  /** Begins to look at whether `box` works, so that the system that runs is found good or given up. */
  attach(box: WatchedBox): void {
    const health = new HealthWatch(box, this.#keeper, { ...this.#ports, startedMs: this.#startedMs });
    this.#health = health;
    this.#timers.push(every(this.#ports.clock, gateLookMs, () => health.look()));
  }

  facts(): UpdateFacts {
    return updateFacts(this.#keeper.state);
  }

  /** The system that runs has shown that it works. */
  get isProven(): boolean {
    return this.#keeper.state.standing === 'proven';
  }

  /** The box of the pool that has what is staged, by member id; undefined: nothing is staged there. */
  get stagedFrom(): string | undefined {
    const { record } = this.#keeper.state;
    return record?.phase === 'staged' ? (record.from ?? undefined) : undefined;
  }

  /** What is staged is the bundle that is kept on this box. */
  get stagedHere(): boolean {
    const { record } = this.#keeper.state;
    return record?.phase === 'staged' && record.from === null;
  }

  /** Calls `listener` when the facts have changed. */
  onChange(listener: () => void): () => void {
    return this.#keeper.onChange(listener);
  }

  /** Whether a bundle that comes now could be staged. Errors: `UPDATE_BUSY`. */
  requireIdle(): void {
    if (this.#working || isBusy(this.#keeper.state)) throw busy(this.#keeper.state);
  }

  /**
   * Checks a bundle and remembers it for installation. Errors: those of `BootSlots.inspect`, `UPDATE_BUSY`,
   * `UPDATE_KNOWN`, `UPDATE_CLOCK_UNSET`, and those of {@link refusal}.
   */
  stage({ open, from, keep, atMs = null, older = false, unasked }: Candidate): Promise<BundleFacts> {
    return this.#exclusively(async () => {
      const source = await open();
      try {
        if (atMs !== null && this.#ports.clock.wallMs() < releasedMs) throw clockUnset();
        const bundle = await this.#ports.slots.inspect(source.place);
        const refused = refusal(bundle, this.#options.running, older);
        if (refused !== undefined) throw refused;
        if (unasked === true) this.#requireNews(bundle.version);
        await keep?.(bundle.version);
        const hourMs = atMs === null ? null : Math.min(atMs, hourMsMax);
        await this.#keeper.decide({ type: 'found', version: bundle.version, from, atMs: hourMs, older });
        this.#ports.log.info('update staged', { version: bundle.version });
        return bundle;
      } finally {
        await source.close();
      }
    });
  }

  /**
   * Begins to install what is staged; how it goes is told by the facts. Errors: `UPDATE_NOT_STAGED`, `UPDATE_BUSY`,
   * `UPDATE_UNPROVEN`, `UPDATE_CHANGED`, `UPDATE_GONE`, those of `BootSlots.inspect`, those of {@link refusal}.
   */
  install(): Promise<void> {
    return this.#exclusively(async () => {
      const { record } = this.#keeper.state;
      if (record?.phase !== 'staged') {
        throw new AetherError('UPDATE_NOT_STAGED', 'no update is ready to be installed');
      }
      try {
        await this.#begin(record);
      } catch (error) {
        // Whoever asked is told; the next one is not to be offered it.
        if (isUseless(error, record))
          await this.#keeper.decide({ type: 'lost', from: record.from, version: record.version });
        throw error;
      }
    });
  }

  /** `what` was staged, and is gone. Errors: `UPDATE_BUSY`, those of the disk. */
  lost({ from, version }: StagedBundle): Promise<void> {
    return this.#exclusively(() => this.#keeper.decide({ type: 'lost', from, version }));
  }

  /** Resolves when what is to be kept is on disk. An installation goes on by itself: the installer is another program. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#keeper.settled();
  }

  /** Two never check or begin at once. Errors: `UPDATE_BUSY`. */
  async #exclusively<T>(action: () => Promise<T>): Promise<T> {
    this.requireIdle();
    this.#working = true;
    try {
      return await action();
    } finally {
      this.#working = false;
    }
  }

  /** A stick that was left in, and another box, offer the same again and again. Errors: `UPDATE_KNOWN`. */
  #requireNews(version: string): void {
    const { record, running, alone } = this.#keeper.state;
    const waits = record?.phase === 'staged' && record.from === null;
    const known =
      (record?.phase === 'rolled-back' && record.version === version) ||
      (waits && compareVersions(version, record.version) < (mayBeDamaged(record) ? 0 : 1)) ||
      // Where only what maintains the box runs, the same version once more may be what mends it.
      (!alone && version === running.version);
    if (known) throw new AetherError('UPDATE_KNOWN', `version ${version} is known already`);
  }

  /** Errors: those of `install`. */
  async #begin(record: UpdateRecord): Promise<void> {
    const slots = await this.#ports.slots.state();
    this.#requireReturn(slots);
    const source = await this.#checked(record);
    try {
      const { bootId } = slots;
      const known = (await this.#health?.before()) ?? { hasPeers: false, before: null };
      await this.#giveTries();
      await this.#keeper.decide({ type: 'begin', bootId, otherStarts: otherStarts(slots), ...known });
      if (this.#keeper.state.record?.phase !== 'installing') throw busy(this.#keeper.state);
    } catch (error) {
      await source.close();
      throw error;
    }
    void this.#install(source);
  }

  /** What is overwritten must not be what a box would come back to. Errors: `UPDATE_BUSY`, `UPDATE_UNPROVEN`. */
  #requireReturn(slots: SlotsState): void {
    const { state } = this.#keeper;
    if (slots.busy) throw busy(state);
    const hasTries = !this.isProven || state.alone || slots.startable.includes(slots.booted);
    if (!hasTries || !mayBegin(state, { otherStarts: otherStarts(slots) })) throw unproven();
  }

  /**
   * What runs is come back to if what is installed does not work, proven or not: one that is not may have used up its
   * tries. Errors: `UPDATER_UNAVAILABLE`, `UPDATE_UNPROVEN`.
   */
  async #giveTries(): Promise<void> {
    if (this.isProven || this.#keeper.state.alone) return;
    await this.#ports.slots.markGood();
    const { booted, startable } = await this.#ports.slots.state();
    if (!startable.includes(booted)) throw unproven();
  }

  /** The bundle that is to be installed, if it still is what was staged. */
  async #checked(record: UpdateRecord): Promise<BundleSource> {
    let source: BundleSource | undefined;
    try {
      source = await this.#options.source(record.from);
      const bundle = await this.#ports.slots.inspect(source.place);
      if (bundle.version !== record.version) throw changed(record.version, bundle.version);
      const refused = refusal(bundle, this.#options.running, record.older);
      if (refused !== undefined) throw refused;
      return source;
    } catch (error) {
      await source?.close();
      throw error;
    }
  }

  #install(source: BundleSource): Promise<void> {
    return this.#installing(async (onProgress) => {
      try {
        await this.#ports.slots.install(source.place, onProgress);
      } finally {
        await source.close();
      }
    });
  }

  async #installing(action: (onProgress: (percent: number) => void) => Promise<void>): Promise<void> {
    const { log } = this.#ports;
    const version = this.#keeper.state.record?.version ?? '';
    try {
      await action((percent) => void this.#keeper.hear({ type: 'progress', percent }));
      await this.#requireInstalled(version);
      log.info('update installed', { version });
      await this.#keeper.hear({ type: 'installed' });
    } catch (error) {
      log.error('update not installed', { reason: describeError(error) });
      await this.#keeper.hear({ type: 'failed', reason: messageOf(error) });
    }
  }

  /** An installer that died says nothing. Errors: `UPDATE_FAILED`, `UPDATE_CHANGED`, `UPDATER_UNAVAILABLE`. */
  async #requireInstalled(version: string): Promise<void> {
    const slots = await this.#slotsPatiently();
    if (!isActivated(slots)) {
      throw new AetherError('UPDATE_FAILED', 'the installer ended before it was done');
    }
    if (slots.otherVersion === null || slots.otherVersion === version) return;
    await this.#ports.slots.markOtherBad();
    throw changed(version, slots.otherVersion);
  }

  /** An installer that has just ended may not answer yet. */
  async #slotsPatiently(): Promise<SlotsState> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#ports.slots.state();
      } catch (error) {
        if (tries === updaterAnswersTriesMax) throw error;
        await sleep(this.#ports.clock, updaterRetryMs);
      }
    }
  }

  async #lookAtHour(): Promise<void> {
    const { clock, log } = this.#ports;
    await this.#keeper.retry();
    const { record } = this.#keeper.state;
    const sinceMs = clock.monotonicMs() - this.#restartAskedMs;
    if (isRestartDue(this.#keeper.state) && sinceMs >= restartAgainMs) this.#restart();
    if (record?.phase !== 'staged' || record.atMs === null || clock.wallMs() < record.atMs) return;
    try {
      await this.#exclusively(() => this.#begin(record));
    } catch (error) {
      // Somebody sends another one, or has it looked into: that ends soon, as an installer does that starts anew.
      if (hasCode(error, 'UPDATE_BUSY')) return;
      const lateMs = clock.wallMs() - record.atMs;
      if (hasCode(error, 'UPDATER_UNAVAILABLE') && lateMs < updateHourPatienceMs) return;
      log.warn('update not begun', { reason: describeError(error) });
      // Nobody is there who could be told: it stays, and says why.
      await this.#keeper.hear({ type: 'not begun', version: record.version, reason: messageOf(error) });
    }
  }

  /** Not waited for: it comes when all of this is closed. */
  #restart(): void {
    this.#restartAskedMs = this.#ports.clock.monotonicMs();
    this.#options.restartMachine().catch((error: unknown) => {
      this.#ports.log.error('the box was not started again', { reason: describeError(error) });
    });
  }
}

/** What is staged is not to be had any more, or cannot be installed as it is. */
function isUseless(error: unknown, { from }: UpdateRecord): boolean {
  if (hasCode(error, 'UPDATE_GONE') || hasCode(error, 'UPDATE_CHANGED')) return true;
  return from === null && (hasCode(error, 'UPDATE_UNTRUSTED') || hasCode(error, 'UPDATE_UNREADABLE'));
}

/** It was not installed: the same from elsewhere may be whole. One that has its hour is tried first. */
function mayBeDamaged({ reason, atMs }: UpdateRecord): boolean {
  return reason !== null && atMs === null;
}
