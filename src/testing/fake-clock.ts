import type { Clock, Timer } from '../ports/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that stands still until told to run: timers fire in order of their time, then of their setting. */
export class FakeClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #startWallMs: number;
  /** The next one last. */
  readonly #pending: Pending[] = [];

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.#startWallMs = startWallMs;
  }

  wallMs(): number {
    return this.#startWallMs + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const pending: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, action };
    this.#pending.splice(this.#placeOf(pending), 0, pending);
    return { cancel: () => this.#cancel(pending) };
  }

  /** Runs for `durationMs` of virtual time; between two timers everything that awaits gets to run. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let next = this.#takeNext(endMs); next !== undefined; next = this.#takeNext(endMs)) {
      this.#nowMs = next.dueMs;
      next.action();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** Runs until `promise` settles; fails when `limitMs` of virtual time does not suffice. */
  async runUntil<T>(promise: Promise<T>, limitMs = 600_000): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    const endMs = this.#nowMs + limitMs;
    await settle();
    while (!settled) {
      const next = this.#takeNext(endMs);
      if (next === undefined) throw new Error(`nothing left to happen within ${limitMs} virtual ms`);
      this.#nowMs = next.dueMs;
      next.action();
      await settle();
    }
    return promise;
  }

  #takeNext(limitMs: number): Pending | undefined {
    const next = this.#pending.at(-1);
    return next === undefined || next.dueMs > limitMs ? undefined : this.#pending.pop();
  }

  #cancel(pending: Pending): void {
    const place = this.#placeOf(pending);
    if (this.#pending[place] === pending) this.#pending.splice(place, 1);
  }

  /** Where it is, or belongs. */
  #placeOf({ dueMs, order }: Pending): number {
    let [low, high] = [0, this.#pending.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#pending[middle]!;
      if (other.dueMs > dueMs || (other.dueMs === dueMs && other.order > order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Lets every promise that can go on go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
