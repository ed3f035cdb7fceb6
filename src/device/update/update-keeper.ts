import { describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { BootSlots } from '../../ports/boot-slots.ts';
import type { Disk } from '../../ports/disk.ts';
import {
  stepUpdate,
  type UpdateAction,
  type UpdateEvent,
  type UpdateState,
  type UpdateStep,
} from './update-machine.ts';
import { saveProvenSlot, saveUpdateRecord } from './update-record.ts';

export interface UpdateKeeperPorts {
  readonly slots: Pick<BootSlots, 'markOtherActive' | 'markOtherBad'>;
  /** The folder for updates. */
  readonly disk: Disk;
  readonly log: Log;
}

/** What is begun and not waited for. */
export interface LongDeeds {
  watchInstaller(): void;
  restartMachine(): void;
}

/**
 * Where a box stands with its update, and the carrying out of each step: one after the other, each from the state that
 * the one before left.
 */
export class UpdateKeeper {
  readonly #ports: UpdateKeeperPorts;
  readonly #deeds: LongDeeds;
  readonly #listeners = new Set<() => void>();
  #state: UpdateState;
  /** What is remembered could not be written, and is written later. */
  #unsaved = false;
  #steps: Promise<void> = Promise.resolve();

  constructor(state: UpdateState, deeds: LongDeeds, ports: UpdateKeeperPorts) {
    this.#state = state;
    this.#deeds = deeds;
    this.#ports = ports;
  }

  get state(): UpdateState {
    return this.#state;
  }

  /** Calls `listener` when the state has changed. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What this box decides is so only when all of it is done and durable. Errors: those of the disk and of `BootSlots`. */
  decide(event: UpdateEvent): Promise<void> {
    return this.#inTurn(async () => {
      const { state, actions } = stepUpdate(this.#state, event);
      for (const action of actions) await this.#act(action, state);
      this.#adopt(state);
    });
  }

  /** What has happened is so, whether it can be written down or not. Never rejects. */
  hear(event: UpdateEvent): Promise<void> {
    return this.#inTurn(() => this.#learn(stepUpdate(this.#state, event)));
  }

  /** As `hear`, of what was found at the start. */
  begin(step: UpdateStep): Promise<void> {
    return this.#inTurn(() => this.#learn(step));
  }

  /** Writes what could not be written before, if there is such. Never rejects. */
  retry(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#unsaved) await this.#learn({ state: this.#state, actions: ['keep proven', 'keep'] });
    });
  }

  /** Resolves when what was begun before is done. */
  settled(): Promise<void> {
    return this.#steps;
  }

  async #learn({ state, actions }: UpdateStep): Promise<void> {
    this.#adopt(state);
    let lost = false;
    for (const action of actions) {
      const isKept = action === 'keep' || action === 'keep proven';
      // The record says what happened for as long as the rest is not written down; a return that it does not tell of would
      // be tried at each start.
      if ((isKept || action === 'start other') && lost) continue;
      try {
        await this.#act(action, state);
      } catch (error) {
        lost ||= isKept;
        this.#ports.log.warn('step of an update not done', { action, reason: describeError(error) });
      }
      if (isKept) this.#unsaved = lost;
    }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#steps.then(action);
    this.#steps = turn.catch(() => {});
    return turn;
  }

  #adopt(state: UpdateState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  async #act(action: UpdateAction, { record, proven }: UpdateState): Promise<void> {
    const { slots, disk } = this.#ports;
    switch (action) {
      case 'keep':
        return saveUpdateRecord(disk, record);
      case 'keep proven':
        return saveProvenSlot(disk, proven);
      case 'start other':
        await slots.markOtherActive();
        return this.#deeds.restartMachine();
      case 'mark other bad':
        return slots.markOtherBad();
      case 'watch installer':
        return this.#deeds.watchInstaller();
      case 'restart machine':
        return this.#deeds.restartMachine();
    }
  }
}
