import type { Clock, Timer } from '../ports/clock.ts';

/** The clock of this computer. */
export class NodeClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(delayMs: number, action: () => void): Timer {
    const timer = setTimeout(action, Math.max(0, delayMs));
    return { cancel: () => clearTimeout(timer) };
  }
}
