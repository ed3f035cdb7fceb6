import { describeError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { BootSlots } from '../../ports/boot-slots.ts';
import type { Clock } from '../../ports/clock.ts';
import { type BoxBefore, boxBefore, type GateInput, type GateVerdict, judge } from './health-gate.ts';
import type { UpdateKeeper } from './update-keeper.ts';
import { canReturn } from './update-machine.ts';

/** The box that runs, as far as its updates look at it. */
export interface WatchedBox {
  status(): GateInput['status'];
  /** Names of the volumes of which no chunk can be read. */
  unreadable(): Promise<readonly string[]>;
}

export interface HealthWatchPorts {
  readonly slots: BootSlots;
  readonly clock: Clock;
  readonly log: Log;
  /** When the program started. */
  readonly startedMs: number;
}

/** Looks at whether a box works, until the system that runs is found good or given up. */
export class HealthWatch {
  readonly #box: WatchedBox;
  readonly #keeper: UpdateKeeper;
  readonly #ports: HealthWatchPorts;
  /** Nothing more is to be found out about the system that runs. */
  #judged = false;

  constructor(box: WatchedBox, keeper: UpdateKeeper, ports: HealthWatchPorts) {
    this.#box = box;
    this.#keeper = keeper;
    this.#ports = ports;
  }

  /** What a version that is to be installed will be held against. */
  async before(): Promise<{ readonly hasPeers: boolean; readonly before: BoxBefore }> {
    const unreadable = await this.#unreadable();
    const status = this.#box.status();
    return {
      hasPeers: status.peers.some(({ reachable }) => reachable),
      before: boxBefore(status, unreadable),
    };
  }

  /** Never rejects: what could not be found out or marked is tried again at the next look. */
  async look(): Promise<void> {
    if (this.#judged) return;
    const { slots, log } = this.#ports;
    const { standing } = this.#keeper.state;
    try {
      const verdict = standing === 'proven' ? ({ kind: 'good' } as const) : await this.#judge();
      if (verdict.kind === 'waiting') return;
      if (verdict.kind === 'good') {
        // Marked first: a power cut before the rest leaves a trial, which passes again.
        await slots.markGood();
        await this.#keeper.hear({ type: 'good' });
        this.#judged = true;
        return;
      }
      // With nothing to come back to, it is looked at for as long as it runs.
      if (!canReturn(this.#keeper.state, await slots.state())) return;
      await this.#keeper.hear({ type: 'given up', reason: verdict.lacks });
      this.#judged = true;
    } catch (error) {
      log.warn('system not marked', { reason: describeError(error) });
    }
  }

  async #judge(): Promise<GateVerdict> {
    const { record, standing } = this.#keeper.state;
    const { clock, startedMs } = this.#ports;
    const { hadPeers = false, before = null } = (standing === 'trial' ? record : undefined) ?? {};
    const status = this.#box.status();
    const input = { status, uptimeMs: clock.monotonicMs() - startedMs, hadPeers, before, unreadable: [] };
    const verdict = judge(input);
    if (verdict.kind !== 'good') return verdict;
    // Disks are woken only for what they alone can tell.
    return judge({ ...input, unreadable: await this.#unreadable() });
  }

  #unreadable(): Promise<readonly string[] | undefined> {
    return this.#box.unreadable().catch(() => undefined);
  }
}
