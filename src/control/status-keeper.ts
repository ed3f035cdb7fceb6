import { CborFields, type CborValue, encodeCbor } from '../base/cbor.ts';
import { AetherError, describeError, hasCode } from '../base/errors.ts';
import { historyFileBytesMax, historyWritePeriodMs } from '../base/face-limits.ts';
import type { Log } from '../base/log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import { readFile, replaceFile } from '../ports/replace-file.ts';
import type { ApplianceStatus } from '../status/appliance-status.ts';
import { conditionKey } from '../status/condition.ts';
import {
  emptyHistory,
  flapMs,
  type HistoryState,
  noteAcknowledged,
  type StatusEvent,
  stepHistory,
} from '../status/history.ts';
import { eventFromCbor, eventToCbor } from '../status/history-codec.ts';

export type StatusKeeperErrorCode =
  /** No condition of this key holds now. */
  'CONDITION_UNKNOWN';

export interface StatusKeeperPorts {
  /** The box's state folder. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/** `{v: 1, events, acknowledged}` in the state folder: a hint, replaced durably, at most once a period. */
const path = 'history.cbor';

/** Remembers what became of the box's conditions, and which of them a person has seen. */
export class StatusKeeper {
  readonly #ports: StatusKeeperPorts;
  #state: HistoryState;
  #acknowledged: ReadonlySet<string>;
  #observed = false;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(ports: StatusKeeperPorts, state: HistoryState, acknowledged: ReadonlySet<string>) {
    this.#ports = ports;
    this.#state = state;
    this.#acknowledged = acknowledged;
  }

  /** A damaged file is a history that begins now. Errors: those of the disk. */
  static async open(ports: StatusKeeperPorts): Promise<StatusKeeper> {
    const bytes = await readFile(ports.disk, path, historyFileBytesMax);
    if (bytes === undefined) return new StatusKeeper(ports, emptyHistory, new Set());
    try {
      const fields = CborFields.decode(bytes);
      const events = fields.list('events').map(eventFromCbor);
      const acknowledged = fields.list('acknowledged').filter((key) => typeof key === 'string');
      return new StatusKeeper(ports, { ...emptyHistory, events }, new Set(acknowledged));
    } catch (error) {
      if (!hasCode(error, 'CBOR_INVALID')) throw error;
      ports.log.warn('history of the status unreadable, beginning anew');
      return new StatusKeeper(ports, emptyHistory, new Set());
    }
  }

  /** Keys of conditions that a person has seen. */
  get acknowledged(): readonly string[] {
    return [...this.#acknowledged];
  }

  /** The newest last. */
  get events(): readonly StatusEvent[] {
    return this.#state.events;
  }

  /** Takes in how the box is now. */
  observe(status: ApplianceStatus): void {
    // What holds while it starts or stops says nothing of how the box is.
    if (status.box.phase !== 'running') return;
    const nowMs = this.#ports.clock.monotonicMs();
    const before = this.#observed ? this.#state : this.#resumed(nowMs);
    this.#state = stepHistory(before, status.conditions, this.#ports.clock.wallMs(), nowMs);
    const kept = this.acknowledged.filter((key) => this.#isSeenStill(key, before));
    const dropped = kept.length < this.#acknowledged.size;
    if (dropped) this.#acknowledged = new Set(kept);
    this.#observed = true;
    if (this.#state.events !== before.events || dropped) this.#writeSoon();
  }

  /** A box that has just started does not see all of its troubles at once: those known to a person have ended just now. */
  #resumed(nowMs: number): HistoryState {
    return { ...this.#state, ended: new Map(this.acknowledged.map((key) => [key, nowMs])) };
  }

  /** Whether it is the same trouble that a person has seen: it holds on, or ended a moment ago, or did so just now. */
  #isSeenStill(key: string, before: HistoryState): boolean {
    const { open, ended } = this.#state;
    if (!open.has(key)) return ended.has(key);
    if (before.open.has(key)) return true;
    const endedMs = before.ended.get(key);
    return endedMs !== undefined && this.#ports.clock.monotonicMs() - endedMs < flapMs;
  }

  /** Errors: `CONDITION_UNKNOWN`. */
  acknowledge(key: string, status: ApplianceStatus): void {
    const condition = status.conditions.find((each) => conditionKey(each) === key);
    if (condition === undefined) {
      throw new AetherError<StatusKeeperErrorCode>(
        'CONDITION_UNKNOWN',
        `nothing like ${key} is the case now`,
        {
          help: 'Look at the status for what is.',
        },
      );
    }
    if (condition.acknowledged) return;
    this.#acknowledged = new Set([...this.#acknowledged, key]);
    this.#state = noteAcknowledged(this.#state, condition, this.#ports.clock.wallMs());
    this.#writeSoon();
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) {
      this.#timer.cancel();
      this.#timer = undefined;
      this.#write();
    }
    await this.#writing;
  }

  /** A box in trouble raises and clears by the minute: its card shall not wear out by that. */
  #writeSoon(): void {
    this.#timer ??= this.#ports.clock.after(historyWritePeriodMs, () => {
      this.#timer = undefined;
      this.#write();
    });
  }

  #write(): void {
    const value: CborValue = {
      v: 1,
      events: this.#state.events.map(eventToCbor),
      acknowledged: this.acknowledged,
    };
    this.#writing = this.#writing
      .then(() => replaceFile(this.#ports.disk, path, encodeCbor(value)))
      .catch((error: unknown) => {
        this.#ports.log.warn('history not written', { reason: describeError(error) });
      });
  }
}
