import { AetherError } from '../base/errors.ts';
import { diskAnswerMs, diskCallsMax } from '../base/limits.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DiskErrorCode } from '../ports/disk.ts';

interface Waiting {
  readonly go: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * The way to one disk. A disk that hangs keeps each call, and the thread that makes it, for as long as it likes: no more
 * than `diskCallsMax` are under way at once, and whoever waits for one is told `DISK_SILENT` after `diskAnswerMs`. From
 * then on, until every call has come back, no more are made.
 */
export class AnswerGate {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #underWay = 0;
  /** Calls that nobody waits for any more, and that have not come back. */
  #overdue = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a call has not come back in time, and still has not. */
  get isSilent(): boolean {
    return this.#overdue > 0;
  }

  /** Makes a call when it is its turn; what comes back too late goes to `discard`. Errors: `DISK_SILENT`, the call's. */
  async call<T>(start: () => Promise<T>, discard: (late: T) => void = () => {}): Promise<T> {
    await this.#turn();
    return this.#bound(start, discard, () => this.#next());
  }

  /** Makes a call that lets go of something: it is made of a silent disk too, and at once. Errors: as of `call`. */
  release(start: () => Promise<void>): Promise<void> {
    return this.#bound(
      start,
      () => {},
      () => {},
    );
  }

  #turn(): Promise<void> {
    if (this.isSilent) return Promise.reject(silent());
    if (this.#underWay < diskCallsMax) {
      this.#underWay++;
      return Promise.resolve();
    }
    return new Promise((go, refuse) => this.#waiting.push({ go, refuse }));
  }

  /** One call has come back: its place is the next one's. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#underWay--;
    else next.go();
  }

  #bound<T>(start: () => Promise<T>, discard: (late: T) => void, ended: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const giveUp = () => {
        isLate = true;
        this.#overdue++;
        for (const { refuse } of this.#waiting.splice(0)) refuse(silent());
        reject(silent());
      };
      // In two halves: where it was this program that stood still, the answers are there before the second is over.
      let timer: Timer = this.#clock.after(diskAnswerMs / 2, () => {
        timer = this.#clock.after(diskAnswerMs / 2, giveUp);
      });
      const cameBack = () => {
        timer.cancel();
        if (isLate) this.#overdue--;
        ended();
      };
      start().then(
        (value) => {
          cameBack();
          if (isLate) discard(value);
          else resolve(value);
        },
        (error: unknown) => {
          cameBack();
          reject(error);
        },
      );
    });
  }
}

/** A file or a store behind a gate: it is closed when its calls have come back, those too that nobody waits for any more. */
export class GatedHandle {
  readonly #gate: AnswerGate;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(gate: AnswerGate) {
    this.#gate = gate;
  }

  /** Errors: as of `AnswerGate.call`. */
  call<T>(start: () => Promise<T>): Promise<T> {
    return this.#gate.call(() => {
      const call = start();
      this.#underWay.add(call);
      const ended = () => this.#underWay.delete(call);
      call.then(ended, ended);
      return call;
    });
  }

  /** Errors: as of `AnswerGate.release`. */
  close(start: () => Promise<void>): Promise<void> {
    return this.#gate.release(async () => {
      await Promise.allSettled(this.#underWay);
      await start();
    });
  }
}

function silent(): AetherError<DiskErrorCode> {
  return new AetherError('DISK_SILENT', `it has not answered for ${diskAnswerMs / 1000} seconds`, {
    help: 'Check its cable and its power; it is used again when it answers.',
  });
}
