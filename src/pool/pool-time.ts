import { toHex } from '../base/bytes.ts';
import { clockJudgedEveryMs, clockSkewMsMax, toldTimeMsMax } from '../base/limits.ts';
import { releasedMs } from '../base/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Member } from './membership/member-set.ts';

/** What a member says of its clock. */
export interface ToldTime {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** Whether something that knows the time has set it: a time server, or a clock that runs on without power. */
  readonly isSet: boolean;
}

/** Who says it. */
export type Teller = Pick<Member, 'memberId' | 'role'>;

interface Told {
  /** Of its wall clock to our monotonic one. */
  readonly offsetMs: number;
  readonly isSet: boolean;
  readonly role: Member['role'];
}

/**
 * The time on a computer that may not know it: a Pi has no clock that runs on without power, and there may be no time
 * server. A clock that is set goes by itself. One that is not goes by the median of the boxes of its pool whose clocks are
 * set. Where there is none it goes by the median of such desktops, else by the latest that any member shows, since a clock
 * that stood still is late; and it does not go back then: not behind what it has shown, what was noted before the start,
 * and the last record that was there at the start. So boxes that lost power agree on a time again, without which they
 * would refuse each other's records (`hybrid-clock.ts`).
 */
export class PoolTime {
  /** Shows that time. */
  readonly clock: Clock;
  readonly #own: Clock;
  readonly #told = new Map<string, Told>();
  #judge: () => boolean = () => false;
  #isSet = false;
  #judgedMs = Number.NEGATIVE_INFINITY;
  /** The least that the time has to our monotonic clock, unless a box knows better. */
  #leastOffsetMs = Number.NEGATIVE_INFINITY;

  constructor(own: Clock) {
    this.#own = own;
    this.clock = {
      wallMs: () => this.#wallMs(),
      monotonicMs: () => own.monotonicMs(),
      after: (delayMs, action) => own.after(delayMs, action),
    };
  }

  /** Has `isSet` asked from now on whether something that knows the time has set our own clock; before, nothing has. */
  judgeBy(isSet: () => boolean): void {
    this.#judge = isSet;
    this.#judgedMs = Number.NEGATIVE_INFINITY;
  }

  /** Forgets what was noted and told: for a box that begins anew. */
  forget(): void {
    this.#told.clear();
    this.#leastOffsetMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the time is to be believed: our own clock is set, or we go by others that are. */
  get isKnown(): boolean {
    if (this.#ownIsSet(this.#own.wallMs()) || this.#offsetBy('box') !== undefined) return true;
    const byDesktops = this.#offsetBy('desktop');
    return byDesktops !== undefined && this.#leastOffsetMs - byDesktops <= clockSkewMsMax;
  }

  /** Says that it was this late already when something was written down. */
  notBefore(wallMs: number): void {
    if (wallMs > toldTimeMsMax) return;
    this.#leastOffsetMs = Math.max(this.#leastOffsetMs, wallMs - this.#own.monotonicMs());
  }

  /** What we say to others. */
  tell(): ToldTime {
    return { wallMs: this.#wallMs(), isSet: this.#ownIsSet(this.#own.wallMs()) };
  }

  /** Takes in what a member says; what no clock shows is not taken. */
  hear({ memberId, role }: Teller, { wallMs, isSet }: ToldTime): void {
    if (wallMs > toldTimeMsMax) return;
    const offsetMs = wallMs - this.#own.monotonicMs();
    this.#told.set(toHex(memberId), { offsetMs, role, isSet: isSet && wallMs >= releasedMs });
    if (this.#offsetBy('box') !== undefined) return;
    const offsets = [...this.#told.values()].map((told) => told.offsetMs);
    this.#leastOffsetMs = Math.max(this.#leastOffsetMs, this.#offsetBy('desktop') ?? Math.max(...offsets));
  }

  #wallMs(): number {
    const ownMs = this.#own.wallMs();
    if (this.#ownIsSet(ownMs)) return ownMs;
    const nowMs = this.#own.monotonicMs();
    const byBoxes = this.#offsetBy('box');
    if (byBoxes !== undefined) return Math.floor(nowMs + byBoxes);
    return Math.max(ownMs, Math.floor(nowMs + this.#leastOffsetMs));
  }

  /** By members of this kind who know the time; undefined when none has said it. */
  #offsetBy(kind: Member['role']): number | undefined {
    const known = [...this.#told.values()].filter(({ isSet, role }) => isSet && role === kind);
    return medianOf(known.map(({ offsetMs }) => offsetMs));
  }

  /** One that was set stays so: it goes on while the program does. */
  #ownIsSet(ownMs: number): boolean {
    const nowMs = this.#own.monotonicMs();
    if (!this.#isSet && nowMs - this.#judgedMs >= clockJudgedEveryMs) {
      this.#judgedMs = nowMs;
      this.#isSet = this.#judge();
    }
    return this.#isSet && ownMs >= releasedMs;
  }
}

/** What a desktop says, whose clock somebody has set if it shows what it can show. */
export function tellTime(clock: Clock): ToldTime {
  const wallMs = clock.wallMs();
  return { wallMs, isSet: wallMs >= releasedMs };
}

/** Of an even number the earlier of the middle ones: one of two cannot move us ahead. */
function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length / 2) - 1];
}
