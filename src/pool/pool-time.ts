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
  /** How far its wall clock is ahead of our monotonic one. */
  readonly aheadMs: number;
  readonly isSet: boolean;
  readonly role: Member['role'];
}

/**
 * The time on a computer that may not know it: a Pi has no clock that runs on without power, and there may be no time
 * server. A clock that is set goes by itself. One that is not goes by the median of the boxes of its pool whose clocks are
 * set, else of such desktops. Where nobody knows the time, the latest that anybody shows or has noted is the nearest to it,
 * since a clock that stood still is late. It is never earlier than a record that the box has made or taken. So boxes that
 * lost power agree on a time again, without which they would refuse each other's records (`hybrid-clock.ts`).
 */
export class PoolTime {
  /** Shows that time. */
  readonly clock: Clock;
  readonly #own: Clock;
  readonly #told = new Map<string, Told>();
  #judge: () => boolean = () => false;
  #isSet = false;
  #judgedMs = Number.NEGATIVE_INFINITY;
  /** How far ahead of our monotonic one the time was at least: by the last record, by a note. */
  #recordedAheadMs = Number.NEGATIVE_INFINITY;
  #notedAheadMs = Number.NEGATIVE_INFINITY;

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
    this.#recordedAheadMs = Number.NEGATIVE_INFINITY;
    this.#notedAheadMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the time is to be believed: our own clock is set, or we go by one that is. */
  get isKnown(): boolean {
    if (this.#ownIsSet(this.#own.wallMs())) return true;
    const knownAheadMs = this.#knownAheadMs();
    return knownAheadMs !== undefined && this.#recordedAheadMs - knownAheadMs <= clockSkewMsMax;
  }

  /** Says that the box's latest record was stamped with this time. */
  noteRecord(wallMs: number): void {
    this.#recordedAheadMs = Math.max(this.#recordedAheadMs, wallMs - this.#own.monotonicMs());
  }

  /** Says that it was this late when somebody looked, before the box started. */
  noteLast(wallMs: number): void {
    if (wallMs <= toldTimeMsMax) this.#notedAheadMs = wallMs - this.#own.monotonicMs();
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
  }

  #wallMs(): number {
    const ownMs = this.#own.wallMs();
    if (this.#ownIsSet(ownMs)) return ownMs;
    const nowMs = this.#own.monotonicMs();
    const knownAheadMs = this.#knownAheadMs();
    if (knownAheadMs !== undefined) return Math.floor(nowMs + Math.max(this.#recordedAheadMs, knownAheadMs));
    const told = [...this.#told.values()].map(({ aheadMs }) => aheadMs);
    return Math.max(ownMs, Math.floor(nowMs + Math.max(this.#recordedAheadMs, this.#notedAheadMs, ...told)));
  }

  /** By members who know the time; undefined when none has said it. */
  #knownAheadMs(): number | undefined {
    const set = [...this.#told.values()].filter(({ isSet }) => isSet);
    const boxes = set.filter(({ role }) => role === 'box');
    return medianOf((boxes.length > 0 ? boxes : set).map(({ aheadMs }) => aheadMs));
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
