import { type Bytes, toHex } from '../base/bytes.ts';
import { groupHintGraceMs } from '../base/discovery-limits.ts';
import { describeError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Clock } from '../ports/clock.ts';
import { type HeardSummary, lacksRecords, membersDiffer, type PoolSummary } from './pool-summary.ts';

export interface CatchUpOptions {
  readonly ours: () => PoolSummary;
  readonly isReachable: (memberId: Bytes) => boolean;
  /** Brings both member sets together. */
  readonly exchangeMembers: (memberId: Bytes) => Promise<void>;
  /** Fetches what the other has and we lack. */
  readonly pullLogs: (memberId: Bytes) => Promise<void>;
}

/**
 * Asks a box that said it has more than there is here, at once and not at the next period. What it said is a hint,
 * however it came: what is believed is what the box answers.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #ports: { readonly clock: Clock; readonly log: Log };
  /** What boxes said last, by those about to be asked. */
  readonly #heard = new Map<string, HeardSummary>();
  #stopped = false;

  constructor(options: CatchUpOptions, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#options = options;
    this.#ports = ports;
  }

  /**
   * A box says that it has this. When that is more, it is asked a moment later, unless what it pushes by itself has
   * come until then. One that is not connected now is asked when it is, whatever it said.
   */
  hear(memberId: Bytes, theirs: HeardSummary): void {
    const name = toHex(memberId);
    const isWaiting = this.#heard.has(name);
    if (!isWaiting && !this.#isBehind(theirs)) return;
    this.#heard.set(name, theirs);
    if (isWaiting) return;
    this.#ports.clock.after(groupHintGraceMs, () => void this.#ask(memberId, name));
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Members first: a log record counts only when its author is known. */
  async #ask(memberId: Bytes, name: string): Promise<void> {
    const { ours, isReachable, exchangeMembers, pullLogs } = this.#options;
    const theirs = this.#heard.get(name);
    this.#heard.delete(name);
    if (theirs === undefined || this.#stopped || !isReachable(memberId)) return;
    try {
      if (membersDiffer(ours(), theirs)) await exchangeMembers(memberId);
      if (lacksRecords(ours(), theirs)) await pullLogs(memberId);
    } catch (error) {
      this.#ports.log.debug('box not caught up with', { reason: describeError(error) });
    }
  }

  #isBehind(theirs: HeardSummary): boolean {
    const ours = this.#options.ours();
    return membersDiffer(ours, theirs) || lacksRecords(ours, theirs);
  }
}
