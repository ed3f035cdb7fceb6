import { encodeCbor } from './base/cbor.ts';
import { describeError } from './base/errors.ts';
import { timeLookPeriodMs, timeNotePeriodMs } from './base/limits.ts';
import type { Log } from './base/log.ts';
import type { PoolTime } from './pool/pool-time.ts';
import { type Clock, every, type Timer } from './ports/clock.ts';
import type { Disk } from './ports/disk.ts';
import { readNumberHint, replaceFile } from './ports/replace-file.ts';

export interface TimeNotesPorts {
  readonly stateDisk: Disk;
  readonly clock: Clock;
  readonly log: Log;
}

/** `{v: 1, at}` in the state folder: a hint, replaced durably. */
const path = 'time.cbor';

/** Notes the time, so that a box whose clock forgets it without power goes on from there. */
export class TimeNotes {
  readonly #ports: TimeNotesPorts;
  readonly #timer: Timer;
  #notedMs: number;
  #noting: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(ports: TimeNotesPorts, notedMs: number) {
    this.#ports = ports;
    this.#notedMs = notedMs;
    this.#timer = every(ports.clock, timeLookPeriodMs, () => this.#look());
  }

  /** Tells `time` what was noted last, and notes it from now on. A note that cannot be read is none. */
  static async open(time: PoolTime, ports: TimeNotesPorts): Promise<TimeNotes> {
    const notedMs = await readNumberHint(ports.stateDisk, { path, name: 'at' }, ports.log);
    time.notBefore(notedMs);
    return new TimeNotes(ports, notedMs);
  }

  /** Notes when the box ends; never rejects. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#noting;
    await this.#note(this.#ports.clock.wallMs());
  }

  /** A clock that has just been set is noted soon, one that goes on now and then: a card wears by every write. */
  async #look(): Promise<void> {
    const nowMs = this.#ports.clock.wallMs();
    if (Math.abs(nowMs - this.#notedMs) < timeNotePeriodMs) return;
    this.#noting = this.#note(nowMs);
    await this.#noting;
  }

  async #note(nowMs: number): Promise<void> {
    try {
      await replaceFile(this.#ports.stateDisk, path, encodeCbor({ v: 1, at: nowMs }));
      this.#notedMs = nowMs;
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#ports.log.warn('the time cannot be noted', { reason: describeError(error) });
      this.#failed = true;
    }
  }
}
