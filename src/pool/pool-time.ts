import { toHex } from '../base/bytes.ts';
import { clockJudgedEveryMs, toldTimeMsMax } from '../base/limits.ts';
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
  /** How far its wall clock is ahead of our monotonic one. */
  readonly aheadMs: number;
  readonly isSet: boolean;
  readonly role: Member['role'];
}

/**
 * The time on a computer that may not know it: a Pi has no clock that runs on without power, and there may be no time
 * server. A clock that is set goes by itself. One that is not goes by what other members of the pool say: by the median of
 * the boxes whose clocks are set, else of such desktops, else of all that are asked, but never by less than it shows
 * itself or than was noted before: a clock that stood still is late. So boxes that lost power agree on a time again,
 * without which they would refuse each other's records (`hybrid-clock.ts`).
 */
export class PoolTime {
  /** Shows that time. */
  readonly clock: Clock;
  readonly #own: Clock;
  readonly #told = new Map<string, Told>();
  #judge: () => boolean = () => false;
  #isSet = false;
  #judgedMs = Number.NEGATIVE_INFINITY;
  #notedAheadMs = Number.NEGATIVE_INFINITY;
  #median: Told | undefined;

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
    this.#median = undefined;
    this.#notedAheadMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the time is to be believed: our own clock is set, or we go by one that is. */
  get isKnown(): boolean {
    return this.#ownIsSet(this.#own.wallMs()) || this.#median?.isSet === true;
  }

  /** Says that it was this late already at some time before now. */
  notBefore(wallMs: number): void {
    if (wallMs > toldTimeMsMax) return;
    this.#notedAheadMs = Math.max(this.#notedAheadMs, wallMs - this.#own.monotonicMs());
  }

  /** What we say to others. */
  tell(): ToldTime {
    return { wallMs: this.#wallMs(), isSet: this.#ownIsSet(this.#own.wallMs()) };
  }

  /** Takes in what a member says; what no clock shows is not taken. */
  hear({ memberId, role }: Teller, { wallMs, isSet }: ToldTime): void {
    if (wallMs > toldTimeMsMax) return;
    const aheadMs = wallMs - this.#own.monotonicMs();
    this.#told.set(toHex(memberId), { aheadMs, role, isSet: isSet && wallMs >= releasedMs });
    this.#median = medianOf([...this.#told.values()]);
  }

  #wallMs(): number {
    const ownMs = this.#own.wallMs();
    if (this.#ownIsSet(ownMs)) return ownMs;
    const toldAheadMs = this.#median?.aheadMs ?? Number.NEGATIVE_INFINITY;
    const otherMs = this.#own.monotonicMs() + Math.max(this.#notedAheadMs, toldAheadMs);
    return Math.max(ownMs, Math.floor(otherMs));
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

/** Of an even number the earlier of the middle ones: half of them cannot pull us ahead, and none pulls us back. */
function medianOf(all: readonly Told[]): Told | undefined {
  const set = all.filter(({ isSet }) => isSet);
  const boxes = set.filter(({ role }) => role === 'box');
  const counted = boxes.length > 0 ? boxes : set.length > 0 ? set : all;
  return counted.toSorted((a, b) => a.aheadMs - b.aheadMs)[Math.ceil(counted.length / 2) - 1];
}
